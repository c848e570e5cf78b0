package server

import (
	"context"
	"fmt"

	"coldstorage.local/lab/kubernetes_plugin/internal/cluster"
	"coldstorage.local/lab/kubernetes_plugin/internal/objects"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Update applies an object anew, or asks the server what would come of it.
func (s *Server) Update(
	ctx context.Context, req *pulumirpc.UpdateRequest,
) (*pulumirpc.UpdateResponse, error) {
	urn := resource.URN(req.GetUrn())
	state, err := decoded(req.GetOlds())
	if err != nil {
		return nil, err
	}
	inputs, err := decoded(req.GetNews())
	if err != nil {
		return nil, err
	}
	old, _ := objects.Object(state)
	made := making{s, urn, inputs, manager(urn, state, inputs)}
	if req.GetPreview() {
		properties, err := made.preview(ctx, old, req.GetNews())
		return &pulumirpc.UpdateResponse{Properties: properties}, err
	}
	if err := s.unreachable(ctx); err != nil {
		return nil, err
	}
	object, _ := objects.Object(inputs)
	ctx, stop := s.within(ctx, objects.Timeout(object, req.GetTimeout()))
	defer stop()
	if object, err = s.leaving(ctx, req.GetIgnoreChanges(), inputs); err != nil {
		return nil, err
	}
	live, err := made.apply(ctx, object, s.forces(object))
	if err != nil {
		return nil, err
	}
	if before := objects.Manager(state); before != "" && before != made.manager {
		if err := s.relinquish(ctx, object, before); err != nil {
			return nil, err
		}
	}
	properties, err := made.ready(ctx, live)
	return &pulumirpc.UpdateResponse{Properties: properties}, err
}

// leaving returns the object with the ignored fields as they are in the cluster, whoever set them:
// applying the value that is there is no conflict.
func (s *Server) leaving(
	ctx context.Context, ignored []string, inputs resource.PropertyMap,
) (*unstructured.Unstructured, error) {
	object, _ := objects.Object(inputs)
	if len(ignored) == 0 {
		return object, nil
	}
	live, err := s.cluster.Get(ctx, object)
	if cluster.Gone(err) {
		return object, nil
	}
	if err != nil {
		return nil, err
	}
	return objects.Leaving(inputs, objects.Properties(live.Object), ignored)
}

// relinquish gives up the fields owned under a name; those that nobody else owns vanish.
func (s *Server) relinquish(
	ctx context.Context, object *unstructured.Unstructured, manager string,
) error {
	if _, err := s.cluster.Get(ctx, object); err != nil {
		if cluster.Gone(err) {
			return nil
		}
		return err
	}
	nothing := &unstructured.Unstructured{}
	nothing.SetGroupVersionKind(object.GroupVersionKind())
	nothing.SetName(object.GetName())
	nothing.SetNamespace(object.GetNamespace())
	if _, err := s.cluster.Apply(ctx, nothing, cluster.As{Manager: manager}); err != nil {
		return fmt.Errorf("giving up the fields of %s %s (one that the kind requires can only be "+
			"kept, with the resource option retainOnDelete, or be taken over first): %w",
			object.GetKind(), objects.ID(object), err)
	}
	return nil
}
