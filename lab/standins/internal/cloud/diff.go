package cloud

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

type kindOfChange = pulumirpc.PropertyDiff_Kind

// differ finds what an update would change: wanted inputs against the state of the resource.
// State, not the old inputs, is compared, so that drift found by a refresh is a change too.
type differ struct {
	schema  *Schema
	ignored []resource.PropertyPath
	changes map[string]*pulumirpc.PropertyDiff
	// changed and replacing hold names of top-level inputs.
	changed, replacing []string
}

// inputs compares all inputs of a resource.
func (d *differ) inputs(
	declared map[string]Property, state, before, news resource.PropertyMap,
) {
	for name, property := range declared {
		key := resource.PropertyKey(name)
		d.property(name, name, property, false, state[key], before[key], news[key])
	}
	slices.Sort(d.changed)
	slices.Sort(d.replacing)
}

// property compares one property; a nested one replaces if one that it is in does.
func (d *differ) property(
	top, path string, declared Property, replace bool, state, before, news resource.PropertyValue,
) {
	configured := !absent(news)
	replace = replace || declared.replaces(configured)
	if !configured {
		// What nobody ever asked for, and what the cloud fills in itself, is the cloud's.
		if !absent(before) && !declared.OptionalComputed {
			d.change(top, path, pulumirpc.PropertyDiff_DELETE, replace)
		}
		return
	}
	news = bare(news)
	fields, isObject := d.schema.fields(declared.Type)
	inner, isList := element(declared.Type, "array")
	switch {
	case absent(state):
		d.change(top, path, pulumirpc.PropertyDiff_ADD, replace)
	case unknown(news):
		d.change(top, path, pulumirpc.PropertyDiff_UPDATE, replace)
	case isObject && news.IsObject():
		for name, field := range fields {
			d.property(top, path+"."+name, field, replace,
				at(state, name), at(before, name), at(news, name))
		}
	case isList && news.IsArray() && sameLength(state, news):
		for i, wanted := range news.ArrayValue() {
			d.property(top, fmt.Sprintf("%s[%d]", path, i), Property{Type: inner}, replace,
				nth(state, i), nth(before, i), wanted)
		}
	case news.ContainsUnknowns() || !plain(state).DeepEquals(plain(news)):
		d.change(top, path, pulumirpc.PropertyDiff_UPDATE, replace)
	}
}

func sameLength(state, news resource.PropertyValue) bool {
	state = bare(state)
	return state.IsArray() && len(state.ArrayValue()) == len(news.ArrayValue())
}

func (d *differ) change(top, path string, kind kindOfChange, replace bool) {
	where, err := resource.ParsePropertyPath(path)
	if err == nil && slices.ContainsFunc(d.ignored, func(ignored resource.PropertyPath) bool {
		return ignored.Contains(where)
	}) {
		return
	}
	if replace {
		kind++ // each kind is followed by the same with a replacement
		if !slices.Contains(d.replacing, top) {
			d.replacing = append(d.replacing, top)
		}
	}
	if !slices.Contains(d.changed, top) {
		d.changed = append(d.changed, top)
	}
	d.changes[path] = &pulumirpc.PropertyDiff{Kind: kind}
}

// Diff says what an update would do.
func (s *Schema) Diff(
	name string, autonamed bool, state, before, news resource.PropertyMap, ignored []string,
) *pulumirpc.DiffResponse {
	d := &differ{schema: s, changes: map[string]*pulumirpc.PropertyDiff{}}
	for _, path := range ignored {
		if parsed, err := resource.ParsePropertyPath(path); err == nil {
			d.ignored = append(d.ignored, parsed)
		}
	}
	declared := s.Resources[name].Inputs
	d.inputs(declared, state, before, news)
	if len(d.changed) == 0 {
		return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}
	}
	_, labelled := declared["name"]
	return &pulumirpc.DiffResponse{
		Changes: pulumirpc.DiffResponse_DIFF_SOME, Diffs: d.changed, Replaces: d.replacing,
		DetailedDiff: d.changes, HasDetailedDiff: true,
		// As Pulumi's bridge does where it gives names: the old one holds the name.
		DeleteBeforeReplace: autonamed && labelled && len(d.replacing) > 0 &&
			plain(state["name"]).DeepEquals(plain(news["name"])),
	}
}
