package server

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"coldstorage.local/lab/kubernetes_plugin/internal/cluster"
	"coldstorage.local/lab/kubernetes_plugin/internal/objects"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Read answers how an object is now; an empty answer means that it is no more.
func (s *Server) Read(
	ctx context.Context, req *pulumirpc.ReadRequest,
) (*pulumirpc.ReadResponse, error) {
	urn := resource.URN(req.GetUrn())
	if err := s.unreachable(ctx); err != nil {
		return s.unread(req, err)
	}
	state, err := decoded(req.GetProperties())
	if err != nil {
		return nil, err
	}
	inputs, err := decoded(req.GetInputs())
	if err != nil {
		return nil, err
	}
	known, err := identity(urn, req.GetId(), state)
	if err != nil {
		return nil, err
	}
	live, err := s.cluster.Get(ctx, known)
	if cluster.Gone(err) {
		return &pulumirpc.ReadResponse{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s %s: %w", known.GetKind(), objects.ID(known), err)
	}
	now := s.seen(live, inputs, state)
	answer := &pulumirpc.ReadResponse{Id: req.GetId()}
	if answer.Inputs, err = encoded(now); err != nil {
		return nil, err
	}
	answer.Properties, err = encoded(objects.State(now, live, manager(urn, state, now)))
	if err != nil {
		return nil, err
	}
	if err := s.waiter(ctx, urn).IsReady(ctx, live); err != nil {
		return nil, unready(err, req.GetId(), answer.Properties, answer.Inputs)
	}
	return answer, nil
}

// seen returns the inputs as the cluster has them; those of an imported object are all that
// somebody may have declared.
func (s *Server) seen(
	live *unstructured.Unstructured, inputs, state resource.PropertyMap,
) resource.PropertyMap {
	var now resource.PropertyMap
	if len(inputs) == 0 {
		now = objects.Properties(objects.Declarable(live))
	} else {
		declared, _ := objects.Object(inputs)
		before, _ := objects.Object(state)
		now = objects.Properties(objects.Seen(declared, before, live))
	}
	objects.Seal(now, inputs)
	return now
}

// identity returns what is needed to find an object: its kind, namespace and name.
func identity(
	urn resource.URN, id string, state resource.PropertyMap,
) (*unstructured.Unstructured, error) {
	kind, err := objects.Kind(string(urn.Type()))
	if err != nil {
		return nil, err
	}
	known, _ := objects.Object(state)
	if known.GetKind() != "" {
		kind = known.GroupVersionKind()
	} else if strings.HasSuffix(kind.Kind, "Patch") {
		return nil, fmt.Errorf("%s: a patch cannot be imported", urn.Type())
	}
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	object.SetAnnotations(known.GetAnnotations())
	namespace, name := objects.SplitID(id)
	if name == "" {
		return nil, errors.New("the id must be namespace/name, or name")
	}
	object.SetNamespace(namespace)
	object.SetName(name)
	return object, nil
}

func (s *Server) unread(
	req *pulumirpc.ReadRequest, reason error,
) (*pulumirpc.ReadResponse, error) {
	switch {
	case s.settings.deleteUnreachable:
		return &pulumirpc.ReadResponse{}, nil
	case s.settings.skipUpdateUnreachable:
		return &pulumirpc.ReadResponse{
			Id: req.GetId(), Properties: kept(req.GetProperties()), Inputs: kept(req.GetInputs()),
		}, nil
	}
	return nil, fmt.Errorf("%w; to go on without it set skipUpdateUnreachable on the provider, or, "+
		"if the cluster is no more, deleteUnreachable", reason)
}

func kept(fields *structpb.Struct) *structpb.Struct {
	if fields == nil {
		return &structpb.Struct{}
	}
	return fields
}
