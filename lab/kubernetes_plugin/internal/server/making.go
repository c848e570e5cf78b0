package server

import (
	"context"
	"errors"
	"time"

	"coldstorage.local/lab/kubernetes_plugin/internal/cluster"
	"coldstorage.local/lab/kubernetes_plugin/internal/objects"
	"coldstorage.local/lab/kubernetes_plugin/internal/waiting"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
)

// What an object needs (its kind, its namespace) may come a moment later in the same update.
const (
	comesWithin = 30 * time.Second
	askedEvery  = 500 * time.Millisecond
)

// making is one object on its way into the cluster.
type making struct {
	server  *Server
	urn     resource.URN
	inputs  resource.PropertyMap
	manager string
}

// preview returns what is planned, or the inputs as they came.
func (m making) preview(
	ctx context.Context, old *unstructured.Unstructured, given *structpb.Struct,
) (*structpb.Struct, error) {
	planned, err := m.plan(ctx, old)
	if err != nil || planned == nil {
		return given, err
	}
	return encoded(planned)
}

// plan returns what the server would make of the object, or nothing where it cannot be asked:
// unreachable, inputs not known yet, kind or namespace not there yet.
func (m making) plan(ctx context.Context, old *unstructured.Unstructured) (resource.PropertyMap, error) {
	object, complete := objects.Object(m.inputs)
	creates := old == nil
	if !complete || m.server.unreachable(ctx) != nil ||
		!m.server.cluster.Serves(object.GroupVersionKind()) ||
		creates && objects.IsPatch(m.urn, object.GetKind()) {
		return nil, nil
	}
	// What is there now and will be replaced must not look like a conflict.
	force := creates || m.server.forces(object)
	live, err := m.server.cluster.Apply(ctx, objects.Marked(object),
		cluster.As{Manager: m.manager, Force: force, Preview: true})
	switch {
	case apierrors.IsNotFound(err), apierrors.IsForbidden(err):
		return nil, nil
	case creates && apierrors.IsInvalid(err) && m.occupied(ctx, object):
		return nil, nil // The one with this name is deleted first.
	case err != nil:
		return nil, err
	}
	planned := objects.State(m.inputs, live, m.manager)
	if creates {
		objects.Unsettle(planned)
	}
	return planned, nil
}

func (m making) occupied(ctx context.Context, object *unstructured.Unstructured) bool {
	_, err := m.server.cluster.Get(ctx, object)
	return err == nil
}

// apply sends the object, and waits a moment for what it needs.
func (m making) apply(
	ctx context.Context, object *unstructured.Unstructured, force bool,
) (*unstructured.Unstructured, error) {
	within, stop := context.WithTimeout(ctx, comesWithin)
	defer stop()
	var live *unstructured.Unstructured
	var last error
	waiter := m.server.waiter(ctx, m.urn)
	err := wait.PollUntilContextCancel(within, askedEvery, true,
		func(ctx context.Context) (bool, error) {
			live, last = m.server.cluster.Apply(ctx, objects.Marked(object),
				cluster.As{Manager: m.manager, Force: force})
			if meta.IsNoMatchError(last) {
				m.server.cluster.Forget()
			}
			if cluster.Gone(last) {
				waiter.Say(last.Error())
				return false, nil
			}
			return true, last
		})
	if err != nil && last != nil {
		err = last
	}
	return live, err
}

// ready waits for the object and returns its state; one that did not become ready is kept in
// state, so that the next update tries again.
func (m making) ready(
	ctx context.Context, live *unstructured.Unstructured,
) (*structpb.Struct, error) {
	now, err := m.server.waiter(ctx, m.urn).Ready(ctx, live)
	if live.GetKind() == "CustomResourceDefinition" {
		m.server.cluster.Forget()
	}
	state, failed := encoded(objects.State(m.inputs, now, m.manager))
	if err == nil || failed != nil {
		return state, failed
	}
	return nil, unready(err, objects.ID(now), state, nil)
}

// unready is the error that tells the engine: it is there, but not as it should be.
func unready(err error, id string, state, inputs *structpb.Struct) error {
	reasons := []string{err.Error()}
	var known *waiting.Unready
	if errors.As(err, &known) {
		reasons = known.Reasons
	}
	failure := status.New(codes.Unknown, err.Error())
	detailed, wrong := failure.WithDetails(&pulumirpc.ErrorResourceInitFailed{
		Id: id, Properties: state, Inputs: inputs, Reasons: reasons,
	})
	if wrong != nil {
		return wrong
	}
	return detailed.Err()
}
