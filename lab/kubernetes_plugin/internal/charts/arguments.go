package charts

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"coldstorage.local/lab/kubernetes_plugin/internal/objects"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"helm.sh/helm/v3/pkg/chartutil"
	"sigs.k8s.io/yaml"
)

// arguments are a component's inputs; each kind of component says which it knows.
type arguments struct {
	values resource.PropertyMap
	wrong  []error
}

func (a *arguments) take(key string) resource.PropertyValue {
	value := a.values[resource.PropertyKey(key)]
	for value.IsSecret() {
		value = value.SecretValue().Element
	}
	return value
}

func (a *arguments) text(key string) string {
	value := a.take(key)
	switch {
	case value.IsString():
		return value.StringValue()
	case value.HasValue():
		a.wrong = append(a.wrong, fmt.Errorf("%s: must be text", key))
	}
	return ""
}

func (a *arguments) yes(key string) bool {
	value := a.take(key)
	if value.HasValue() && !value.IsBool() {
		a.wrong = append(a.wrong, fmt.Errorf("%s: must be true or false", key))
	}
	return value.IsBool() && value.BoolValue()
}

func (a *arguments) list(key string) []resource.PropertyValue {
	value := a.take(key)
	switch {
	case value.IsArray():
		return value.ArrayValue()
	case value.HasValue():
		a.wrong = append(a.wrong, fmt.Errorf("%s: must be a list", key))
	}
	return nil
}

func (a *arguments) texts(key string) []string {
	var found []string
	for _, value := range a.list(key) {
		if value.IsString() {
			found = append(found, value.StringValue())
		}
	}
	return found
}

// prefix returns what the names of the children begin with: the component's name if not given.
func (a *arguments) prefix(name string) string {
	if a.take("resourcePrefix").HasValue() {
		return a.text("resourcePrefix")
	}
	return name
}

// only refuses every other key, so that a misspelt one is not silently without effect.
func (a *arguments) only(known ...string) error {
	for key, value := range a.values {
		if value.HasValue() && !slices.Contains(known, string(key)) {
			a.wrong = append(a.wrong, fmt.Errorf("%s: there is no such input", key))
		}
	}
	return errors.Join(a.wrong...)
}

// asset returns the text of a file that the program handed over.
func (a *arguments) asset(key string, value resource.PropertyValue) []byte {
	if !value.IsAsset() {
		a.wrong = append(a.wrong, fmt.Errorf("%s: must be files", key))
		return nil
	}
	text, err := value.AssetValue().Bytes()
	if err != nil {
		a.wrong = append(a.wrong, fmt.Errorf("%s: %w", key, err))
	}
	return text
}

// merged returns the values of the files and, above them, those of the program.
func (a *arguments) merged() map[string]any {
	result := map[string]any{}
	for _, file := range a.list("valueYamlFiles") {
		read := map[string]any{}
		if err := yaml.Unmarshal(a.asset("valueYamlFiles", file), &read); err != nil {
			a.wrong = append(a.wrong, fmt.Errorf("valueYamlFiles: %w", err))
		}
		result = chartutil.CoalesceTables(read, result)
	}
	given := a.take("values")
	if !given.IsObject() {
		return result
	}
	own, _ := objects.Object(resource.PropertyMap{"values": a.opened(given)})
	values, _ := own.Object["values"].(map[string]any)
	return chartutil.CoalesceTables(values, result)
}

// opened replaces files among the values by what is in them.
func (a *arguments) opened(value resource.PropertyValue) resource.PropertyValue {
	switch {
	case value.IsAsset():
		return resource.NewStringProperty(string(a.asset("values", value)))
	case value.IsSecret():
		return resource.MakeSecret(a.opened(value.SecretValue().Element))
	case value.IsObject():
		fields := resource.PropertyMap{}
		for key, element := range value.ObjectValue() {
			fields[key] = a.opened(element)
		}
		return resource.NewObjectProperty(fields)
	}
	return value
}

// secrets returns every secret text among the inputs.
func (a *arguments) secrets() []string {
	found := map[string]bool{}
	var search func(value resource.PropertyValue, secret bool)
	search = func(value resource.PropertyValue, secret bool) {
		switch {
		case value.IsSecret():
			search(value.SecretValue().Element, true)
		case value.IsObject():
			for _, element := range value.ObjectValue() {
				search(element, secret)
			}
		case value.IsArray():
			for _, element := range value.ArrayValue() {
				search(element, secret)
			}
		case secret && value.IsString() && strings.TrimSpace(value.StringValue()) != "":
			found[value.StringValue()] = true
		}
	}
	for _, value := range a.values {
		search(value, false)
	}
	return slices.Sorted(maps.Keys(found))
}

// refuse says which inputs of the official plugin this one does not act on.
func (a *arguments) refuse(keys ...string) {
	for _, key := range keys {
		value := a.take(key)
		if value.HasValue() && !(value.IsBool() && !value.BoolValue()) {
			a.wrong = append(a.wrong, fmt.Errorf("%s: STAND-IN: not covered by the project's own "+
				"kubernetes plugin, only by Pulumi's", key))
		}
		delete(a.values, resource.PropertyKey(key))
	}
}
