package server

import (
	"context"
	"errors"
	"strings"

	"coldstorage.local/lab/kubernetes_plugin/internal/objects"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Check gives an object its name and namespace and holds it against the cluster's own schema.
func (s *Server) Check(
	ctx context.Context, req *pulumirpc.CheckRequest,
) (*pulumirpc.CheckResponse, error) {
	urn := resource.URN(req.GetUrn())
	if err := covered(urn); err != nil {
		return nil, err
	}
	news, err := decoded(req.GetNews())
	if err != nil {
		return nil, err
	}
	olds, err := decoded(req.GetOlds())
	if err != nil {
		return nil, err
	}
	reachable := s.unreachable(ctx) == nil
	if !reachable && s.settings.skipUpdateUnreachable && len(olds) > 0 {
		return &pulumirpc.CheckResponse{Inputs: req.GetOlds()}, nil
	}
	answer := &pulumirpc.CheckResponse{}
	refuse := func(reason string) {
		// Without a property: the engine would print its value, secret or not.
		answer.Failures = append(answer.Failures, &pulumirpc.CheckFailure{Reason: reason})
	}
	inputs, err := s.identified(urn, objects.Spelt(news), olds, req)
	if err != nil {
		refuse(err.Error())
	}
	if reachable {
		inputs = s.placed(inputs)
		for _, reason := range s.invalid(ctx, inputs) {
			refuse(reason)
		}
	}
	s.remarkHooks(ctx, urn, inputs)
	objects.Seal(inputs, news)
	answer.Inputs, err = encoded(inputs)
	return answer, err
}

// covered refuses what only the official plugin does.
func covered(urn resource.URN) error {
	token := string(urn.Type())
	kind, err := objects.Kind(token)
	switch {
	case err != nil:
		return err
	case strings.HasPrefix(token, "kubernetes:helm.sh/"), strings.HasPrefix(token, "kubernetes:kustomize/"):
		return status.Errorf(codes.Unimplemented, "STAND-IN: %s is not covered by the project's own "+
			"kubernetes plugin, only by Pulumi's; use kubernetes:helm.sh/v4:Chart", token)
	case strings.HasSuffix(kind.Kind, "List"):
		return status.Errorf(codes.InvalidArgument,
			"%s: a list is nothing that a cluster keeps; declare its elements", token)
	}
	return nil
}

func (s *Server) identified(
	urn resource.URN, news, olds resource.PropertyMap, req *pulumirpc.CheckRequest,
) (resource.PropertyMap, error) {
	object, _ := objects.Object(news)
	if !objects.IsPatch(urn, object.GetKind()) {
		return objects.Named(news, olds, req)
	}
	if object.GetName() == "" && !news["metadata"].ContainsUnknowns() {
		return news, errors.New("metadata.name: a patch needs the name of what it patches")
	}
	return news, nil
}

// placed puts the object into the provider's namespace, if it needs one and names none.
func (s *Server) placed(inputs resource.PropertyMap) resource.PropertyMap {
	object, _ := objects.Object(inputs)
	namespaced, err := s.cluster.Namespaced(object.GroupVersionKind())
	// A kind that is not there yet is most likely one of a chart's own, which live in namespaces.
	if err != nil || namespaced {
		return objects.InNamespace(inputs, s.cluster.Namespace)
	}
	return inputs
}

// invalid returns every way in which the object does not fit its schema.
func (s *Server) invalid(ctx context.Context, inputs resource.PropertyMap) []string {
	object, complete := objects.Object(inputs)
	reasons, err := s.cluster.Invalid(object, complete)
	if err != nil {
		// The server checks again when the object is applied.
		s.warn(ctx, "", "could not read the cluster's schema of %s: %v",
			object.GroupVersionKind(), err)
	}
	return reasons
}

func (s *Server) remarkHooks(ctx context.Context, urn resource.URN, inputs resource.PropertyMap) {
	object, _ := objects.Object(inputs)
	for key := range object.GetAnnotations() {
		if strings.HasPrefix(key, "helm.sh/hook") && !s.settings.suppressHooks {
			s.warn(ctx, urn, "it has the annotation %s, but Helm's hooks do not run here", key)
			return
		}
	}
}
