package objects

import (
	"encoding/base64"
	"maps"
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Seen returns the inputs as the cluster has them now. Where the live object is what it was when
// it was last looked at, the program's own words stay ("1000m", though the server says "1"), so
// that defaults and spellings of the server never look like changes.
func Seen(inputs, before, now *unstructured.Unstructured) map[string]any {
	before, now = withText(before, inputs), withText(now, inputs)
	seen, _ := seen(inputs.Object, before.Object, now.Object).(map[string]any)
	return seen
}

func seen(input, before, now any) any {
	if reflect.DeepEqual(before, now) {
		return input
	}
	switch input := input.(type) {
	case map[string]any:
		if now, ok := now.(map[string]any); ok {
			before, _ := before.(map[string]any)
			return seenMap(input, before, now)
		}
	case []any:
		if now, ok := now.([]any); ok {
			before, _ := before.([]any)
			return seenList(input, before, now)
		}
	}
	return now
}

func seenMap(input, before, now map[string]any) map[string]any {
	result := make(map[string]any, len(input))
	for key, value := range input {
		_, was := before[key]
		_, is := now[key]
		switch {
		case is:
			result[key] = seen(value, before[key], now[key])
		case !was: // The server never kept it.
			result[key] = value
		}
	}
	return result
}

// seenList looks at elements by name where they have one, as Kubernetes does: others may have put
// their own beside them. Lists that cannot be matched are taken as a whole.
func seenList(input, before, now []any) []any {
	beforeByName, nowByName := byName(before), byName(now)
	if byName(input) != nil && nowByName != nil {
		result := make([]any, 0, len(input))
		for _, element := range input {
			name := nameOf(element)
			if current, there := nowByName[name]; there {
				result = append(result, seen(element, beforeByName[name], current))
			}
		}
		return result
	}
	if len(input) != len(now) || len(input) != len(before) {
		return now
	}
	result := make([]any, len(input))
	for i := range input {
		result[i] = seen(input[i], before[i], now[i])
	}
	return result
}

// byName returns the elements by their names, or nothing when one has none of its own.
func byName(list []any) map[string]any {
	named := make(map[string]any, len(list))
	for _, element := range list {
		name := nameOf(element)
		if _, taken := named[name]; taken || name == "" {
			return nil
		}
		named[name] = element
	}
	return named
}

func nameOf(element any) string {
	fields, _ := element.(map[string]any)
	name, _ := fields["name"].(string)
	return name
}

// withText gives a live Secret the plain text that the server answers only encoded.
func withText(live, inputs *unstructured.Unstructured) *unstructured.Unstructured {
	wanted, found := inputs.Object["stringData"].(map[string]any)
	if !found || inputs.GetKind() != "Secret" {
		return live
	}
	data, _ := live.Object["data"].(map[string]any)
	text := map[string]any{}
	for key := range wanted {
		encoded, _ := data[key].(string)
		if raw, err := base64.StdEncoding.DecodeString(encoded); err == nil && encoded != "" {
			text[key] = string(raw)
		}
	}
	fields := maps.Clone(live.Object)
	fields["stringData"] = text
	return &unstructured.Unstructured{Object: fields}
}
