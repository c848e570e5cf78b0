package objects

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Change is what an update or a replacement of an object would be made of.
type Change struct {
	Old, New resource.PropertyMap
	Live     *unstructured.Unstructured
	Ignored  []string
	Patch    bool
	Mutable  Mutable
}

// Response compares what the program declared with what it declares: nothing else counts.
func (c Change) Response() *pulumirpc.DiffResponse {
	wanted, _ := Object(c.New)
	answer := &pulumirpc.DiffResponse{
		Changes: pulumirpc.DiffResponse_DIFF_NONE, HasDetailedDiff: true,
		DetailedDiff: map[string]*pulumirpc.PropertyDiff{},
	}
	difference := c.Old.Diff(c.New, internal)
	for path, change := range plugin.NewDetailedDiffFromObjectDiff(difference, true) {
		if c.ignores(path) || c.sameIdentity(path, wanted) {
			continue
		}
		kind := change.Kind
		if c.Mutable.Replaces(wanted, path, c.Patch) {
			kind = kind.AsReplace()
			answer.Replaces = append(answer.Replaces, path)
		}
		answer.Changes = pulumirpc.DiffResponse_DIFF_SOME
		answer.DetailedDiff[path] = &pulumirpc.PropertyDiff{
			Kind: kinds[kind], InputDiff: true,
		}
	}
	slices.Sort(answer.Replaces)
	answer.DeleteBeforeReplace = c.sameName(wanted) && !Annotated(wanted, Autonamed)
	return answer
}

var kinds = map[plugin.DiffKind]pulumirpc.PropertyDiff_Kind{
	plugin.DiffAdd:           pulumirpc.PropertyDiff_ADD,
	plugin.DiffAddReplace:    pulumirpc.PropertyDiff_ADD_REPLACE,
	plugin.DiffDelete:        pulumirpc.PropertyDiff_DELETE,
	plugin.DiffDeleteReplace: pulumirpc.PropertyDiff_DELETE_REPLACE,
	plugin.DiffUpdate:        pulumirpc.PropertyDiff_UPDATE,
	plugin.DiffUpdateReplace: pulumirpc.PropertyDiff_UPDATE_REPLACE,
}

func internal(key resource.PropertyKey) bool { return len(key) > 1 && key[:2] == "__" }

func (c Change) ignores(path string) bool {
	changed, err := resource.ParsePropertyPath(path)
	return err == nil && slices.ContainsFunc(c.Ignored, func(ignored string) bool {
		pattern, err := resource.ParsePropertyPath(ignored)
		return err == nil && pattern.Contains(changed)
	})
}

// sameIdentity tells whether a change of name or namespace only spells out what the live object
// has already: its default namespace, or none at all for a kind that lives in none.
func (c Change) sameIdentity(path string, wanted *unstructured.Unstructured) bool {
	switch path {
	case "metadata.name":
		return wanted.GetName() == c.Live.GetName()
	case "metadata.namespace":
		return sameNamespace(wanted, c.Live)
	}
	return false
}

// sameName tells whether two objects cannot be there at the same time.
func (c Change) sameName(wanted *unstructured.Unstructured) bool {
	return wanted.GetName() == c.Live.GetName() && sameNamespace(wanted, c.Live)
}

func sameNamespace(wanted, live *unstructured.Unstructured) bool {
	if live.GetNamespace() == "" {
		return true
	}
	namespace := wanted.GetNamespace()
	if namespace == "" {
		namespace = "default"
	}
	return namespace == live.GetNamespace()
}
