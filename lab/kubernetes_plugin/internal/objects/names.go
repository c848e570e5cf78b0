package objects

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Kind returns the group, version and kind of a type token such as kubernetes:apps/v1:Deployment.
func Kind(token string) (schema.GroupVersionKind, error) {
	parts := strings.Split(token, ":")
	if len(parts) != 3 || parts[0] != "kubernetes" {
		return schema.GroupVersionKind{}, fmt.Errorf(
			"%s: expected kubernetes:<group>/<version>:<Kind>", token)
	}
	group, version, found := strings.Cut(parts[1], "/")
	if !found {
		group, version = "", parts[1]
	}
	if group == "core" {
		group = ""
	}
	return schema.GroupVersionKind{Group: group, Version: version, Kind: parts[2]}, nil
}

// IsPatch tells whether a resource owns some fields of an object and not the object itself.
func IsPatch(urn resource.URN, kind string) bool {
	return strings.HasSuffix(string(urn.Type()), "Patch") && !strings.HasSuffix(kind, "Patch")
}

// ManagerOf returns the name under which a resource owns fields. It follows from the URN, so that
// a run finds what an interrupted one made, and two resources never share one.
func ManagerOf(urn resource.URN) string {
	digest := sha256.Sum256([]byte(urn))
	return "pulumi-kubernetes-" + hex.EncodeToString(digest[:4])
}

// Named returns the properties with a name: the given one, the one that Pulumi gave before, or a
// new one.
func Named(
	news, olds resource.PropertyMap, req *pulumirpc.CheckRequest,
) (resource.PropertyMap, error) {
	var failed error
	named := withMetadata(news, func(metadata resource.PropertyMap) {
		switch {
		case metadata.HasValue("name") || metadata["name"].IsComputed():
			return
		case metadata.HasValue("generateName"):
			failed = errors.New("metadata.generateName: server-side apply needs a name; " +
				"leave both out to get a name that Pulumi makes")
			return
		}
		name, err := autoname(olds, req)
		failed = err
		metadata["name"] = resource.NewStringProperty(name)
		if given := metadata["annotations"]; !given.HasValue() || given.IsObject() {
			annotations := resource.PropertyMap{}
			if given.IsObject() {
				annotations = given.ObjectValue().Copy()
			}
			annotations[Autonamed] = resource.NewStringProperty("true")
			metadata["annotations"] = resource.NewObjectProperty(annotations)
		}
	})
	return named, failed
}

func autoname(olds resource.PropertyMap, req *pulumirpc.CheckRequest) (string, error) {
	if old, _ := Object(olds); Annotated(old, Autonamed) {
		return old.GetName(), nil
	}
	engine := req.GetAutonaming()
	if engine.GetMode() == pulumirpc.CheckRequest_AutonamingOptions_DISABLE && engine != nil {
		return "", errors.New("metadata.name: must be given, automatic names are switched off")
	}
	if engine.GetProposedName() != "" {
		return engine.GetProposedName(), nil
	}
	prefix := resource.URN(req.GetUrn()).Name() + "-"
	return resource.NewUniqueName(req.GetRandomSeed(), prefix, 0, 0, nil)
}

// InNamespace returns the properties with a namespace, if they have none.
func InNamespace(news resource.PropertyMap, namespace string) resource.PropertyMap {
	return withMetadata(news, func(metadata resource.PropertyMap) {
		if !metadata.HasValue("namespace") && !metadata["namespace"].IsComputed() {
			metadata["namespace"] = resource.NewStringProperty(namespace)
		}
	})
}

// withMetadata changes a copy of the metadata; what is not known yet stays as it is.
func withMetadata(
	properties resource.PropertyMap, change func(resource.PropertyMap),
) resource.PropertyMap {
	value := properties["metadata"]
	secret := value.IsSecret()
	if secret {
		value = value.SecretValue().Element
	}
	metadata := resource.PropertyMap{}
	switch {
	case value.IsObject():
		metadata = value.ObjectValue().Copy()
	case value.HasValue() || value.IsComputed():
		return properties
	}
	change(metadata)
	changed := properties.Copy()
	changed["metadata"] = resource.NewObjectProperty(metadata)
	if secret {
		changed["metadata"] = resource.MakeSecret(changed["metadata"])
	}
	return changed
}

// ID returns what Pulumi calls an object: namespace/name, or the name alone.
func ID(object *unstructured.Unstructured) string {
	if object.GetNamespace() == "" {
		return object.GetName()
	}
	return object.GetNamespace() + "/" + object.GetName()
}

// SplitID returns the namespace and the name of an id.
func SplitID(id string) (namespace, name string) {
	if namespace, name, found := strings.Cut(id, "/"); found {
		return namespace, name
	}
	return "", id
}
