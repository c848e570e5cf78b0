package objects

import (
	"encoding/base64"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// State returns what Pulumi keeps of a live object made from the inputs: the object itself and,
// as the official provider does, the inputs and the name under which the fields are owned.
func State(
	inputs resource.PropertyMap, live *unstructured.Unstructured, manager string,
) resource.PropertyMap {
	state := Properties(live.Object)
	Seal(state, inputs)
	state[InputsKey] = resource.NewObjectProperty(inputs)
	state[apiVersionKey] = resource.NewStringProperty(live.GetAPIVersion())
	state[fieldManagerKey] = resource.NewStringProperty(manager)
	return state
}

// Manager returns the name under which the fields of an object in state are owned, or nothing.
func Manager(state resource.PropertyMap) string {
	if name := state[fieldManagerKey]; name.IsString() {
		return name.StringValue()
	}
	return ""
}

// Seal marks as secret what is secret in the other properties, and what Kubernetes calls one.
// A list with a secret in it is secret as a whole, since its order may change.
func Seal(properties, like resource.PropertyMap) {
	if kind := properties["kind"]; kind.IsString() && kind.StringValue() == "Secret" {
		for _, key := range []resource.PropertyKey{"data", "stringData"} {
			if value, there := properties[key]; there && !value.IsSecret() {
				properties[key] = resource.MakeSecret(opened(value))
			}
		}
	}
	for key, pattern := range like {
		value, there := properties[key]
		switch {
		case !there || value.IsSecret():
		case value.IsObject() && pattern.IsObject():
			Seal(value.ObjectValue(), pattern.ObjectValue())
		case pattern.ContainsSecrets():
			properties[key] = resource.MakeSecret(value)
		}
	}
}

// opened returns a value without marks inside it: a secret in a secret is none that a later look
// at the cluster would mark again.
func opened(value resource.PropertyValue) resource.PropertyValue {
	switch {
	case value.IsSecret():
		return opened(value.SecretValue().Element)
	case value.IsObject():
		fields := resource.PropertyMap{}
		for key, field := range value.ObjectValue() {
			fields[key] = opened(field)
		}
		return resource.NewObjectProperty(fields)
	}
	return value
}

// Applied returns the object as it is sent: a Secret's plain text encoded, because the server
// forgets which of the encoded values came from plain text and would never take them away.
func Applied(object *unstructured.Unstructured) *unstructured.Unstructured {
	applied := object.DeepCopy()
	text, found := applied.Object["stringData"].(map[string]any)
	if !found || applied.GetKind() != "Secret" {
		return applied
	}
	data, _ := applied.Object["data"].(map[string]any)
	if data == nil {
		data = map[string]any{}
	}
	for key, value := range text {
		if value, ok := value.(string); ok {
			data[key] = base64.StdEncoding.EncodeToString([]byte(value))
		}
	}
	applied.Object["data"] = data
	delete(applied.Object, "stringData")
	return applied
}

// Unsettle marks what a trial run only made up and the real one will make anew.
func Unsettle(state resource.PropertyMap) {
	delete(state, "status")
	later := resource.MakeComputed(resource.NewStringProperty(""))
	for parent, keys := range map[resource.PropertyKey][]resource.PropertyKey{
		"metadata": {"uid", "resourceVersion", "creationTimestamp"},
		"spec":     {"clusterIP", "clusterIPs"},
	} {
		if !state[parent].IsObject() {
			continue
		}
		fields := state[parent].ObjectValue()
		for _, key := range keys {
			if _, there := fields[key]; there && !given(state, parent, key) {
				fields[key] = later
			}
		}
	}
}

func given(state resource.PropertyMap, parent, key resource.PropertyKey) bool {
	inputs := state[InputsKey].ObjectValue()
	return inputs[parent].IsObject() && inputs[parent].ObjectValue().HasValue(key)
}

// Marked returns an object that nothing is declared of but its name with a mark: by its fields the
// cluster knows whose an object is, and one without any would be nobody's.
func Marked(object *unstructured.Unstructured) *unstructured.Unstructured {
	metadata, _ := object.Object["metadata"].(map[string]any)
	for key := range object.Object {
		if key != "apiVersion" && key != "kind" && key != "metadata" {
			return object
		}
	}
	for key := range metadata {
		if key != "name" && key != "namespace" {
			return object
		}
	}
	marked := object.DeepCopy()
	marked.SetAnnotations(map[string]string{managed: "true"})
	return marked
}
