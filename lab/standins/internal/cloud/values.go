package cloud

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// bare takes the outermost secret mark off.
func bare(value resource.PropertyValue) resource.PropertyValue {
	for value.IsSecret() {
		value = value.SecretValue().Element
	}
	return value
}

// plain takes all secret marks off, for the cloud and to compare.
func plain(value resource.PropertyValue) resource.PropertyValue {
	value = bare(value)
	switch {
	case value.IsObject():
		return resource.NewObjectProperty(plainMap(value.ObjectValue()))
	case value.IsArray():
		elements := make([]resource.PropertyValue, len(value.ArrayValue()))
		for i, element := range value.ArrayValue() {
			elements[i] = plain(element)
		}
		return resource.NewArrayProperty(elements)
	}
	return value
}

func plainMap(values resource.PropertyMap) resource.PropertyMap {
	result := resource.PropertyMap{}
	for key, value := range values {
		if !absent(value) && key != "__defaults" {
			result[key] = plain(value)
		}
	}
	return result
}

func unknown(value resource.PropertyValue) bool {
	value = bare(value)
	return value.IsComputed() || value.IsOutput()
}

func absent(value resource.PropertyValue) bool {
	value = bare(value)
	return value.IsNull()
}

// empty tells whether a value says no more than its absence would.
func empty(value resource.PropertyValue) bool {
	value = plain(value)
	switch {
	case value.IsString():
		return value.StringValue() == ""
	case value.IsBool():
		return !value.BoolValue()
	case value.IsNumber():
		return value.NumberValue() == 0
	case value.IsArray():
		return len(value.ArrayValue()) == 0
	case value.IsObject():
		return len(value.ObjectValue()) == 0
	}
	return value.IsNull()
}

// at returns the element of an object, or nothing.
func at(value resource.PropertyValue, key string) resource.PropertyValue {
	if value = bare(value); value.IsObject() {
		return value.ObjectValue()[resource.PropertyKey(key)]
	}
	return resource.NewNullProperty()
}

// nth returns the element of an array, or nothing.
func nth(value resource.PropertyValue, index int) resource.PropertyValue {
	if value = bare(value); value.IsArray() && index < len(value.ArrayValue()) {
		return value.ArrayValue()[index]
	}
	return resource.NewNullProperty()
}

// sealed marks what the schema calls secret, and what was secret when it came in.
func sealed(declared map[string]Property, outputs, inputs resource.PropertyMap) resource.PropertyMap {
	result := resource.PropertyMap{}
	for key, value := range outputs {
		hidden := declared[string(key)].Secret || inputs[key].ContainsSecrets()
		if hidden && !value.IsSecret() {
			value = resource.MakeSecret(value)
		}
		result[key] = value
	}
	return result
}
