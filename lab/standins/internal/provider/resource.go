// Package provider is a small Pulumi provider for resources that are made once, on this machine,
// and replaced when an input changes (passwords, keys). It calls itself a stand-in in every run.
package provider

import (
	"fmt"
	"math"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Kind is what an input may hold.
type Kind string

// The kinds of input that the resources of this package need.
const (
	Text     Kind = "text"
	Integer  Kind = "a whole number"
	Boolean  Kind = "true or false"
	TextMap  Kind = "a map of text"
	TextList Kind = "a list of text"
)

// Input describes one input; a nil Default means that leaving it out is a value of its own.
type Input struct {
	Kind     Kind
	Required bool
	Default  any
	OneOf    []string
}

// Resource describes one resource type.
type Resource struct {
	Inputs map[string]Input
	// Outputs are what Make adds to the inputs; true marks a secret.
	Outputs map[string]bool
	// Validate sees complete, known inputs and returns the reason for each that is wrong.
	Validate func(inputs resource.PropertyMap) map[string]string
	// Make returns the resource's id and its outputs.
	Make func(inputs resource.PropertyMap) (string, resource.PropertyMap, error)
}

// checked returns the inputs with defaults filled in, and the reason for each that is wrong.
func (r Resource) checked(news resource.PropertyMap) (resource.PropertyMap, map[string]string) {
	inputs, wrong := resource.PropertyMap{}, map[string]string{}
	for key, value := range news {
		declared, known := r.Inputs[string(key)]
		switch {
		case key == "__defaults" || value.IsNull():
			continue
		case !known:
			wrong[string(key)] = "the stand-in does not know this input"
		case !value.ContainsUnknowns():
			if reason := declared.refuses(plain(value)); reason != "" {
				wrong[string(key)] = reason
			}
		}
		inputs[key] = value
	}
	for name, declared := range r.Inputs {
		key := resource.PropertyKey(name)
		if _, given := inputs[key]; given {
			continue
		}
		if declared.Required {
			wrong[name] = "must be given"
		} else if declared.Default != nil {
			inputs[key] = resource.NewPropertyValue(declared.Default)
		}
	}
	if len(wrong) == 0 && r.Validate != nil && !inputs.ContainsUnknowns() {
		wrong = r.Validate(plain(resource.NewObjectProperty(inputs)).ObjectValue())
	}
	return inputs, wrong
}

// refuses returns why a value does not fit, or nothing.
func (i Input) refuses(value resource.PropertyValue) string {
	fits := false
	switch i.Kind {
	case Text:
		fits = value.IsString()
	case Boolean:
		fits = value.IsBool()
	case Integer:
		fits = value.IsNumber() && value.NumberValue() == math.Trunc(value.NumberValue())
	case TextList:
		fits = value.IsArray()
		if fits {
			for _, v := range value.ArrayValue() {
				fits = fits && v.IsString()
			}
		}
	case TextMap:
		fits = value.IsObject()
		if fits {
			for _, v := range value.ObjectValue() {
				fits = fits && v.IsString()
			}
		}
	}
	if !fits {
		return fmt.Sprintf("must be %s, got %s", i.Kind, value.TypeString())
	}
	if len(i.OneOf) > 0 && !slices.Contains(i.OneOf, value.StringValue()) {
		return fmt.Sprintf("must be one of %v, got %q", i.OneOf, value.StringValue())
	}
	return ""
}

// replacedBy names the inputs whose change makes another resource: all of them, as in the
// official providers. State is compared, not old inputs, because it has the defaults too when
// the official provider wrote it.
func (r Resource) replacedBy(state, news resource.PropertyMap) []string {
	var changed []string
	for name := range r.Inputs {
		key := resource.PropertyKey(name)
		if !plain(state[key]).DeepEquals(plain(news[key])) {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	return changed
}

// planned is what a preview knows: the inputs, and that the rest comes later.
func (r Resource) planned(inputs resource.PropertyMap) resource.PropertyMap {
	outputs := inputs.Copy()
	for name := range r.Outputs {
		outputs[resource.PropertyKey(name)] = r.sealed(name,
			resource.MakeComputed(resource.NewStringProperty("")))
	}
	return outputs
}

// made makes the resource and marks its secrets.
func (r Resource) made(inputs resource.PropertyMap) (string, resource.PropertyMap, error) {
	id, results, err := r.Make(plain(resource.NewObjectProperty(inputs)).ObjectValue())
	if err != nil {
		return "", nil, err
	}
	outputs := inputs.Copy()
	for key, value := range results {
		outputs[key] = r.sealed(string(key), value)
	}
	return id, outputs, nil
}

func (r Resource) sealed(name string, value resource.PropertyValue) resource.PropertyValue {
	if r.Outputs[name] {
		return resource.MakeSecret(value)
	}
	return value
}

// plain takes the secret marks off, to compare and to compute; results are marked again.
func plain(value resource.PropertyValue) resource.PropertyValue {
	switch {
	case value.IsSecret():
		return plain(value.SecretValue().Element)
	case value.IsObject():
		object := resource.PropertyMap{}
		for key, element := range value.ObjectValue() {
			object[key] = plain(element)
		}
		return resource.NewObjectProperty(object)
	}
	return value
}
