package cloud

import (
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// checker collects every fault of some inputs.
type checker struct {
	schema *Schema
	owner  string
	faults []*pulumirpc.CheckFailure
}

func (c *checker) fault(path, format string, words ...any) {
	c.faults = append(c.faults, &pulumirpc.CheckFailure{
		Property: path, Reason: fmt.Sprintf(format, words...),
	})
}

// object checks the properties of an object, the inputs of a resource first of all.
func (c *checker) object(
	path string, declared map[string]Property, given resource.PropertyMap,
) {
	for _, key := range slices.Sorted(maps.Keys(given)) {
		name := string(key)
		property, known := declared[name]
		switch {
		case name == "__defaults" || absent(given[key]):
		case !known:
			c.fault(path+name, "%s has no such input", c.owner)
		default:
			c.value(path+name, property.Type, property.Enum, given[key])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		if declared[name].Required && absent(given[resource.PropertyKey(name)]) {
			c.fault(path+name, "must be given")
		}
	}
}

func (c *checker) value(path, kind string, enum []string, value resource.PropertyValue) {
	value = bare(value)
	if unknown(value) || kind == "ref:pulumi.json#/Any" {
		return
	}
	if inner, is := element(kind, "array"); is {
		c.elements(path, inner, enum, value)
	} else if inner, is := element(kind, "map"); is {
		c.entries(path, inner, value)
	} else if fields, is := c.schema.fields(kind); is {
		if value.IsObject() {
			c.object(path+".", fields, value.ObjectValue())
		} else {
			c.fault(path, "must be an object, got %s", value.TypeString())
		}
	} else if !fits(kind, value) {
		c.fault(path, "must be of type %s, got %s", kind, value.TypeString())
	} else if len(enum) > 0 && !slices.Contains(enum, value.StringValue()) {
		c.fault(path, "must be one of %s, got %q", strings.Join(enum, ", "), value.StringValue())
	}
}

// elements checks a list; values that are allowed are allowed for each of them.
func (c *checker) elements(path, kind string, enum []string, value resource.PropertyValue) {
	if !value.IsArray() {
		c.fault(path, "must be a list, got %s", value.TypeString())
		return
	}
	for i, element := range value.ArrayValue() {
		c.value(fmt.Sprintf("%s[%d]", path, i), kind, enum, element)
	}
}

func (c *checker) entries(path, kind string, value resource.PropertyValue) {
	if !value.IsObject() {
		c.fault(path, "must be a map, got %s", value.TypeString())
		return
	}
	for _, key := range slices.Sorted(maps.Keys(value.ObjectValue())) {
		c.value(fmt.Sprintf("%s[%q]", path, key), kind, nil, value.ObjectValue()[key])
	}
}

func fits(kind string, value resource.PropertyValue) bool {
	switch kind {
	case "string":
		return value.IsString()
	case "boolean":
		return value.IsBool()
	case "number":
		return value.IsNumber()
	case "integer":
		return value.IsNumber() && value.NumberValue() == math.Trunc(value.NumberValue())
	}
	return false // a type that the schema names and does not describe: better found than ignored
}

// choices checks that exactly one of each set is given.
func (c *checker) choices(declared Resource, given resource.PropertyMap) {
	for _, names := range declared.choices() {
		count := 0
		for _, name := range names {
			if !absent(given[resource.PropertyKey(name)]) {
				count++
			}
		}
		if count != 1 {
			c.fault(names[0], "exactly one of %s must be given, got %d",
				strings.Join(names, ", "), count)
		}
	}
}

// Checked returns the inputs with what is left out filled in, and every fault in them.
func (s *Schema) Checked(
	name string, autonamed bool, req *pulumirpc.CheckRequest, olds, news resource.PropertyMap,
) (resource.PropertyMap, []*pulumirpc.CheckFailure) {
	declared := s.Resources[name]
	inputs := resource.PropertyMap{}
	for key, value := range news {
		if !absent(value) {
			inputs[key] = value
		}
	}
	label, labelled := declared.Inputs["name"]
	if autonamed && labelled && !label.Required && absent(inputs["name"]) {
		inputs["name"] = named(req, olds)
	}
	c := &checker{schema: s, owner: declared.Token}
	c.object("", declared.Inputs, inputs)
	c.choices(declared, inputs)
	return inputs, c.faults
}

// named gives a resource the name that it has, or the one of Pulumi's usual form.
func named(req *pulumirpc.CheckRequest, olds resource.PropertyMap) resource.PropertyValue {
	if before := olds["name"]; !absent(before) {
		return before
	}
	seed := req.GetRandomSeed()
	suffix := hex.EncodeToString(seed[:min(4, len(seed))])
	suffix = suffix[:min(7, len(suffix))]
	return resource.NewStringProperty(resource.URN(req.GetUrn()).Name() + "-" + suffix)
}
