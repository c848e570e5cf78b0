package cloud

import "github.com/pulumi/pulumi/sdk/v3/go/common/resource"

// Live returns the inputs that would make what is there: what was asked for, at the values that it
// has now, and what somebody else set. With no inputs before (an import) it is all that is set.
func (s *Schema) Live(name string, before, outputs resource.PropertyMap) resource.PropertyMap {
	inputs := resource.PropertyMap{}
	for input, declared := range s.Resources[name].Inputs {
		key := resource.PropertyKey(input)
		asked, is := before[key], outputs[key]
		switch {
		case absent(is):
		case !absent(asked):
			inputs[key] = s.asked(declared.Type, asked, is)
		case !empty(is) && (len(before) == 0 || !declared.OptionalComputed):
			inputs[key] = is
		}
		if value, there := inputs[key]; there && !value.IsSecret() &&
			(declared.Secret || asked.ContainsSecrets()) {
			inputs[key] = resource.MakeSecret(value)
		}
	}
	return inputs
}

// asked returns what is there without what the cloud added to the objects that were asked for.
func (s *Schema) asked(kind string, asked, is resource.PropertyValue) resource.PropertyValue {
	asked, is = bare(asked), bare(is)
	if fields, isObject := s.fields(kind); isObject && asked.IsObject() && is.IsObject() {
		object := resource.PropertyMap{}
		for key, value := range asked.ObjectValue() {
			if now := at(is, string(key)); !absent(now) && !absent(value) {
				object[key] = s.asked(fields[string(key)].Type, value, now)
			}
		}
		return resource.NewObjectProperty(object)
	}
	if inner, isList := element(kind, "array"); isList && asked.IsArray() && is.IsArray() {
		list := make([]resource.PropertyValue, len(is.ArrayValue()))
		for i, value := range is.ArrayValue() {
			list[i] = value
			if i < len(asked.ArrayValue()) {
				list[i] = s.asked(inner, asked.ArrayValue()[i], value)
			}
		}
		return resource.NewArrayProperty(list)
	}
	return is
}
