// Package charts turns Helm charts and YAML files into resources of their own, each a child of the
// component that brought it.
package charts

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"coldstorage.local/lab/kubernetes_plugin/internal/cluster"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// parsed returns the objects of a YAML text; the elements of lists are objects of their own.
func parsed(text []byte) ([]*unstructured.Unstructured, error) {
	var found []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		fields := map[string]any{}
		err := decoder.Decode(&fields)
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, fmt.Errorf("not the YAML of objects: %w", err)
		}
		if len(fields) > 0 {
			found = append(found, expanded(&unstructured.Unstructured{Object: fields})...)
		}
	}
}

func expanded(object *unstructured.Unstructured) []*unstructured.Unstructured {
	if !object.IsList() {
		return []*unstructured.Unstructured{object}
	}
	var found []*unstructured.Unstructured
	// The callback never fails, and IsList made sure that there are items.
	_ = object.EachListItem(func(item runtime.Object) error {
		if item, ok := item.(*unstructured.Unstructured); ok {
			found = append(found, expanded(item)...)
		}
		return nil
	})
	return found
}

// files returns the text of the files; a pattern stands for all that match.
func files(names []string, patterns bool) ([]byte, error) {
	var text bytes.Buffer
	for _, name := range names {
		if address, err := url.Parse(name); err == nil && address.IsAbs() {
			return nil, fmt.Errorf("STAND-IN: %s: files are read from this machine only", name)
		}
		matching := []string{name}
		if patterns {
			found, err := filepath.Glob(name)
			if err != nil || len(found) == 0 {
				return nil, fmt.Errorf("%s: no such file", name)
			}
			matching = found
		}
		for _, path := range matching {
			read, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			text.Write(read)
			text.WriteString("\n---\n")
		}
	}
	return text.Bytes(), nil
}

// placed checks what every object needs, and puts those into the namespace that need one.
func placed(list []*unstructured.Unstructured, namespace string, c *cluster.Cluster) error {
	var wrong []error
	for _, object := range list {
		kind := object.GroupVersionKind()
		if kind.Kind == "" || kind.Version == "" || object.GetName() == "" {
			wrong = append(wrong, fmt.Errorf("an object needs apiVersion, kind and metadata.name, "+
				"this has %q, %q and %q", object.GetAPIVersion(), kind.Kind, object.GetName()))
			continue
		}
		if object.GetNamespace() == "" && namespaced(object, list, c) {
			object.SetNamespace(namespace)
		}
	}
	return errors.Join(wrong...)
}

// namespaced asks the cluster, or the definition that comes along in the same list.
func namespaced(
	object *unstructured.Unstructured, list []*unstructured.Unstructured, c *cluster.Cluster,
) bool {
	kind := object.GroupVersionKind()
	defines := slices.IndexFunc(list, func(other *unstructured.Unstructured) bool {
		group, _, _ := unstructured.NestedString(other.Object, "spec", "group")
		name, _, _ := unstructured.NestedString(other.Object, "spec", "names", "kind")
		return other.GetKind() == "CustomResourceDefinition" && group == kind.Group &&
			name == kind.Kind
	})
	if defines >= 0 {
		scope, _, _ := unstructured.NestedString(list[defines].Object, "spec", "scope")
		return scope == "Namespaced"
	}
	if c.Reachable() != nil {
		return !slices.Contains(clusterWide, kind.Kind)
	}
	known, err := c.Namespaced(kind)
	return err != nil || known
}

// clusterWide has the usual kinds that live in no namespace, for when no cluster can be asked.
var clusterWide = []string{
	"APIService", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "IngressClass",
	"MutatingWebhookConfiguration", "Namespace", "PersistentVolume", "PriorityClass",
	"StorageClass", "ValidatingWebhookConfiguration",
}
