package charts

import (
	"strings"

	"coldstorage.local/lab/kubernetes_plugin/internal/objects"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/object"
	"sigs.k8s.io/cli-utils/pkg/object/graph"
)

// bundle is a set of objects on their way to become the children of a component.
type bundle struct {
	objects   []*unstructured.Unstructured
	component pulumi.ComponentResource
	prefix    string
	version   string
	skipAwait bool
	// secrets are texts that no property may show.
	secrets []string
}

// registered makes every object a resource, after what it needs: definitions before objects of
// their kind, namespaces before what is in them.
func (b bundle) registered(ctx *pulumi.Context) (pulumi.Array, error) {
	set := object.UnstructuredSet(b.objects)
	needs, err := graph.DependencyGraph(set)
	if err != nil {
		return nil, err
	}
	order, err := needs.Sort()
	if err != nil {
		return nil, err
	}
	all, made := pulumi.Array{}, map[object.ObjMetadata]pulumi.Resource{}
	for _, together := range graph.HydrateSetList(order, set) {
		for _, one := range together {
			identity := object.UnstructuredToObjMetadata(one)
			var after []pulumi.Resource
			for _, needed := range needs.Dependencies(identity) {
				if resource, there := made[needed]; there {
					after = append(after, resource)
				}
			}
			child := &pulumi.CustomResourceState{}
			err := ctx.RegisterResource(token(one), b.name(one), b.inputs(one), child,
				b.options(one, after)...)
			if err != nil {
				return nil, err
			}
			made[identity] = child
			all = append(all, pulumi.NewResourceOutput(child))
		}
	}
	return all, nil
}

func token(one *unstructured.Unstructured) string {
	version := one.GetAPIVersion()
	if !strings.Contains(version, "/") {
		version = "core/" + version
	}
	return "kubernetes:" + version + ":" + one.GetKind()
}

func (b bundle) name(one *unstructured.Unstructured) string {
	if b.prefix == "" {
		return objects.ID(one)
	}
	return b.prefix + ":" + objects.ID(one)
}

func (b bundle) options(
	one *unstructured.Unstructured, after []pulumi.Resource,
) []pulumi.ResourceOption {
	return []pulumi.ResourceOption{
		pulumi.Parent(b.component),
		pulumi.DependsOn(after),
		pulumi.Version(b.version),
		// Helm's own word for what outlives its release.
		pulumi.RetainOnDelete(one.GetAnnotations()["helm.sh/resource-policy"] == "keep"),
	}
}

func (b bundle) inputs(one *unstructured.Unstructured) pulumi.Map {
	if b.skipAwait {
		annotations := one.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[objects.SkipAwait] = "true"
		one.SetAnnotations(annotations)
	}
	inputs := pulumi.Map{}
	for key, value := range one.Object {
		inputs[key] = b.sealed(value)
		if one.GetKind() == "Secret" && (key == "data" || key == "stringData") {
			inputs[key] = pulumi.ToSecret(value)
		}
	}
	return inputs
}

// sealed marks every text with a secret in it, wherever a template put it.
func (b bundle) sealed(value any) pulumi.Input {
	switch value := value.(type) {
	case map[string]any:
		fields := pulumi.Map{}
		for key, element := range value {
			if element != nil {
				fields[key] = b.sealed(element)
			}
		}
		return fields
	case []any:
		list := pulumi.Array{}
		for _, element := range value {
			list = append(list, b.sealed(element))
		}
		return list
	case string:
		for _, secret := range b.secrets {
			if strings.Contains(value, secret) {
				return pulumi.ToSecret(value)
			}
		}
	}
	return pulumi.Any(value)
}
