package server

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"coldstorage.local/lab/kubernetes_plugin/internal/cluster"
	"coldstorage.local/lab/kubernetes_plugin/internal/objects"
	"coldstorage.local/lab/kubernetes_plugin/internal/waiting"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

// notAwaited has the kinds whose end is not waited for when skipAwait is set; the next object of
// the same name waits instead.
var notAwaited = []string{
	"DaemonSet", "Deployment", "Job", "Namespace", "Pod", "ReplicaSet", "StatefulSet",
}

// Delete ends an object, or gives up the fields that a patch owns.
func (s *Server) Delete(
	ctx context.Context, req *pulumirpc.DeleteRequest,
) (*emptypb.Empty, error) {
	urn := resource.URN(req.GetUrn())
	if err := s.unreachable(ctx); err != nil {
		if s.settings.deleteUnreachable {
			return &emptypb.Empty{}, nil
		}
		return nil, fmt.Errorf("%w; if the cluster is no more, set deleteUnreachable on the provider "+
			"(or PULUMI_K8S_DELETE_UNREACHABLE=true) to forget what was in it", err)
	}
	state, err := decoded(req.GetProperties())
	if err != nil {
		return nil, err
	}
	object, err := identity(urn, req.GetId(), state)
	if err != nil {
		return nil, err
	}
	ctx, stop := s.within(ctx, objects.Timeout(object, req.GetTimeout()))
	defer stop()
	if objects.IsPatch(urn, object.GetKind()) {
		return &emptypb.Empty{}, s.relinquish(ctx, object, manager(urn, state, nil))
	}
	if err := s.cluster.Delete(ctx, object); err != nil {
		if cluster.Gone(err) {
			return &emptypb.Empty{}, nil
		}
		return nil, err
	}
	if objects.Annotated(object, objects.SkipAwait) && slices.Contains(notAwaited, object.GetKind()) {
		return &emptypb.Empty{}, nil
	}
	if err := s.waiter(ctx, urn).Gone(ctx, object); err != nil {
		return nil, s.lingering(err, req, state)
	}
	return &emptypb.Empty{}, nil
}

// lingering keeps an object in state whose end did not come.
func (s *Server) lingering(
	err error, req *pulumirpc.DeleteRequest, state resource.PropertyMap,
) error {
	var known *waiting.Unready
	if !errors.As(err, &known) || known.Live == nil {
		return err
	}
	inputs := resource.PropertyMap{}
	if kept := state[objects.InputsKey]; kept.IsObject() {
		inputs = kept.ObjectValue()
	}
	properties, failed := encoded(objects.State(inputs, known.Live, objects.Manager(state)))
	if failed != nil {
		return failed
	}
	return unready(err, req.GetId(), properties, nil)
}
