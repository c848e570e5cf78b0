package cluster

import (
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// DefaultNamespace is where an object goes whose kind lives in namespaces and that names none.
const DefaultNamespace = "default"

// Serves tells whether the cluster knows a kind; another kind may come in the same update.
func (c *Cluster) Serves(kind schema.GroupVersionKind) bool {
	_, err := c.mapping(kind)
	return err == nil
}

// Namespaced tells whether objects of a kind live in namespaces.
func (c *Cluster) Namespaced(kind schema.GroupVersionKind) (bool, error) {
	mapping, err := c.mapping(kind)
	if err != nil {
		return false, err
	}
	return mapping.Scope.Name() == meta.RESTScopeNameNamespace, nil
}

// Forget lets the next look-up ask the cluster anew for its kinds.
func (c *Cluster) Forget() {
	c.mapper.Reset()
	c.schemas.forget()
}

func (c *Cluster) mapping(kind schema.GroupVersionKind) (*meta.RESTMapping, error) {
	return c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
}

// endpoint returns where objects of the object's kind are, and the namespace of this one.
func (c *Cluster) endpoint(
	object *unstructured.Unstructured,
) (dynamic.ResourceInterface, string, error) {
	mapping, err := c.mapping(object.GroupVersionKind())
	if err != nil {
		return nil, "", err
	}
	endpoint := c.Client.Resource(mapping.Resource)
	if mapping.Scope.Name() != meta.RESTScopeNameNamespace {
		return endpoint, "", nil
	}
	namespace := object.GetNamespace()
	if namespace == "" {
		namespace = c.Namespace
	}
	return endpoint.Namespace(namespace), namespace, nil
}
