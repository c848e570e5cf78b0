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

// Create makes an object, or asks the server what it would make of it.
func (s *Server) Create(
	ctx context.Context, req *pulumirpc.CreateRequest,
) (*pulumirpc.CreateResponse, error) {
	urn := resource.URN(req.GetUrn())
	inputs, err := decoded(req.GetProperties())
	if err != nil {
		return nil, err
	}
	made := making{s, urn, inputs, manager(urn, nil, inputs)}
	if req.GetPreview() {
		properties, err := made.preview(ctx, nil, req.GetProperties())
		return &pulumirpc.CreateResponse{Properties: properties}, err
	}
	if err := s.unreachable(ctx); err != nil {
		return nil, err
	}
	object, _ := objects.Object(inputs)
	ctx, stop := s.within(ctx, objects.Timeout(object, req.GetTimeout()))
	defer stop()
	if err := made.free(ctx, object); err != nil {
		return nil, err
	}
	live, err := made.apply(ctx, object, s.forces(object))
	if err != nil {
		return nil, err
	}
	state, err := made.ready(ctx, live)
	return &pulumirpc.CreateResponse{Id: objects.ID(live), Properties: state}, err
}

// free makes sure that no one else's object is in the way. One that this very resource made in a
// run that was interrupted is its own.
func (m making) free(ctx context.Context, object *unstructured.Unstructured) error {
	if m.server.settings.upsert || objects.IsPatch(m.urn, object.GetKind()) {
		return nil
	}
	live, err := m.server.cluster.Get(ctx, object)
	switch {
	case cluster.Gone(err):
		return nil
	case err != nil:
		return err
	case live.GetDeletionTimestamp() != nil:
		return m.server.waiter(ctx, m.urn).Gone(ctx, object)
	case cluster.Owns(live, m.manager):
		return nil
	}
	return fmt.Errorf("%s %s already exists in the cluster and is not this resource's; "+
		"take it over with `pulumi import`, own some of its fields with a ...Patch resource, "+
		"or set upsertExistingObjects on the provider", object.GetKind(), objects.ID(object))
}

func (s *Server) forces(object *unstructured.Unstructured) bool {
	return s.settings.patchForce || objects.Annotated(object, objects.PatchForce)
}
