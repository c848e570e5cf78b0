// Package objects is what is known of Kubernetes objects without asking a cluster: how Pulumi's
// values become objects and back, what an object is called, and which changes replace it.
package objects

import (
	"math"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Keys that state has beside the object; those that the official provider writes too.
const (
	InputsKey       = "__inputs"
	apiVersionKey   = "__initialApiVersion"
	fieldManagerKey = "__fieldManager"
)

// Object returns the Kubernetes object that the properties describe, its secrets opened, and
// whether all of it is known.
func Object(properties resource.PropertyMap) (*unstructured.Unstructured, bool) {
	values, known := mapping(properties)
	return &unstructured.Unstructured{Object: values}, known
}

// Properties returns an object as Pulumi's values.
func Properties(object map[string]any) resource.PropertyMap {
	return resource.NewPropertyMapFromMapRepl(object, underscored, nil)
}

func mapping(properties resource.PropertyMap) (map[string]any, bool) {
	values, complete := make(map[string]any, len(properties)), true
	for key, property := range properties {
		// Pulumi's own remarks, such as __defaults, are no part of the object.
		if strings.HasPrefix(string(key), "__") {
			continue
		}
		value, known := plain(property)
		complete = complete && known
		if value != nil {
			values[dashed(string(key))] = value
		}
	}
	return values, complete
}

// plain returns a value without Pulumi's marks; what is not known yet is left out.
func plain(value resource.PropertyValue) (any, bool) {
	switch {
	case value.IsSecret():
		return plain(value.SecretValue().Element)
	case value.IsOutput():
		if !value.OutputValue().Known {
			return nil, false
		}
		return plain(value.OutputValue().Element)
	case value.IsComputed():
		return nil, false
	case value.IsObject():
		return mapping(value.ObjectValue())
	case value.IsArray():
		list, complete := make([]any, 0, len(value.ArrayValue())), true
		for _, element := range value.ArrayValue() {
			element, known := plain(element)
			complete = complete && known
			list = append(list, element)
		}
		return list, complete
	case value.IsNumber():
		// Kubernetes tells whole numbers from fractions, Pulumi does not.
		if number := value.NumberValue(); number == math.Trunc(number) {
			return int64(number), true
		}
		return value.NumberValue(), true
	}
	return value.V, true
}

const dashes, underscores = "x-kubernetes-", "x_kubernetes_"

// dashed turns a key as Pulumi's packages spell it into Kubernetes' own; only schemas of custom
// resources have such keys.
func dashed(key string) string {
	if rest, found := strings.CutPrefix(key, underscores); found {
		return dashes + strings.ReplaceAll(rest, "_", "-")
	}
	return key
}

func underscored(key string) (resource.PropertyKey, bool) {
	if strings.HasPrefix(key, dashes) {
		return resource.PropertyKey(strings.ReplaceAll(key, "-", "_")), true
	}
	return "", false
}

// Spelt returns the properties with every key as Pulumi's packages spell it, so that a definition
// from a chart and one from a program are compared alike.
func Spelt(properties resource.PropertyMap) resource.PropertyMap {
	return spelt(resource.NewObjectProperty(properties)).ObjectValue()
}

func spelt(value resource.PropertyValue) resource.PropertyValue {
	switch {
	case value.IsSecret():
		return resource.MakeSecret(spelt(value.SecretValue().Element))
	case value.IsArray():
		list := make([]resource.PropertyValue, 0, len(value.ArrayValue()))
		for _, element := range value.ArrayValue() {
			list = append(list, spelt(element))
		}
		return resource.NewArrayProperty(list)
	case value.IsObject():
		fields := resource.PropertyMap{}
		for key, element := range value.ObjectValue() {
			if ours, other := underscored(string(key)); other {
				key = ours
			}
			fields[key] = spelt(element)
		}
		return resource.NewObjectProperty(fields)
	}
	return value
}
