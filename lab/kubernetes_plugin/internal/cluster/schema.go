package cluster

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	openapi "github.com/google/gnostic-models/openapiv3"
	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	client "k8s.io/client-go/openapi"
	models "k8s.io/kube-openapi/pkg/util/proto"
	"k8s.io/kube-openapi/pkg/util/proto/validation"
)

// schemas has the OpenAPI v3 documents that were read, each one being some hundred kilobytes.
type schemas struct {
	mutex sync.Mutex
	paths map[string]client.GroupVersion
	read  map[schema.GroupVersion]models.Models
}

// forget makes the next look-up read anew, as when a kind was added.
func (s *schemas) forget() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.paths, s.read = nil, nil
}

// Invalid returns every way in which an object does not fit the cluster's schema of its kind. A
// kind that is not there yet has none, and what is not known yet cannot be missing.
func (c *Cluster) Invalid(object *unstructured.Unstructured, complete bool) ([]string, error) {
	kind := object.GroupVersionKind()
	document, err := c.schemas.of(c.Discovery.OpenAPIV3(), kind.GroupVersion())
	if err != nil || document == nil {
		return nil, err
	}
	for _, name := range document.ListModels() {
		model := document.LookupModel(name)
		if model == nil || !describes(model, kind) {
			continue
		}
		var reasons []string
		for _, fault := range validation.ValidateModel(object.Object, model, kind.Kind) {
			if reason := explainedFault(fault, complete); reason != "" {
				reasons = append(reasons, reason)
			}
		}
		slices.Sort(reasons)
		return slices.Compact(reasons), nil
	}
	return nil, nil
}

func explainedFault(fault error, complete bool) string {
	var unknown validation.UnknownFieldError
	var absent validation.MissingRequiredFieldError
	var nothing validation.InvalidObjectTypeError
	var wrong validation.ValidationError
	path := ""
	if errors.As(fault, &wrong) {
		path, fault = wrong.Path, wrong.Err
	}
	switch {
	case errors.As(fault, &unknown):
		return fmt.Sprintf("%s.%s: there is no such field", path, unknown.Field)
	case errors.As(fault, &nothing):
		return "" // Not known yet.
	case errors.As(fault, &absent):
		if !complete {
			return ""
		}
		return fmt.Sprintf("%s.%s: must be given", path, absent.Field)
	}
	return fmt.Sprintf("%s: %v", path, fault)
}

// of returns the document of a group and version, or nothing if the cluster does not have it.
func (s *schemas) of(
	from client.Client, version schema.GroupVersion,
) (models.Models, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if document, known := s.read[version]; known {
		return document, nil
	}
	if s.paths == nil {
		paths, err := from.Paths()
		if err != nil {
			return nil, err
		}
		s.paths, s.read = paths, map[schema.GroupVersion]models.Models{}
	}
	path := "apis/" + version.String()
	if version.Group == "" {
		path = "api/" + version.Version
	}
	place, there := s.paths[path]
	if !there {
		return nil, nil
	}
	document, err := fetched(place)
	if err == nil {
		s.read[version] = document
	}
	return document, err
}

func fetched(place client.GroupVersion) (models.Models, error) {
	const encoding = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"
	raw, err := place.Schema(encoding)
	if err != nil {
		return nil, err
	}
	document := &openapi.Document{}
	if err := proto.Unmarshal(raw, document); err != nil {
		return nil, err
	}
	simplify(document)
	return models.NewOpenAPIV3Data(document)
}

// describes tells whether a model is that of the kind.
func describes(model models.Schema, kind schema.GroupVersionKind) bool {
	list, _ := model.GetExtensions()["x-kubernetes-group-version-kind"].([]any)
	return slices.ContainsFunc(list, func(element any) bool {
		text := func(key string) string {
			switch fields := element.(type) {
			case map[string]any:
				return fmt.Sprint(fields[key])
			case map[any]any:
				return fmt.Sprint(fields[key])
			}
			return ""
		}
		return text("group") == kind.Group && text("version") == kind.Version &&
			text("kind") == kind.Kind
	})
}
