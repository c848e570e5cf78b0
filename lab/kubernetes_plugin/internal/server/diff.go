package server

import (
	"context"

	"coldstorage.local/lab/kubernetes_plugin/internal/objects"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Diff compares what is declared with what was, and asks no cluster.
func (s *Server) Diff(
	ctx context.Context, req *pulumirpc.DiffRequest,
) (*pulumirpc.DiffResponse, error) {
	state, err := decoded(req.GetOlds())
	if err != nil {
		return nil, err
	}
	news, err := decoded(req.GetNews())
	if err != nil {
		return nil, err
	}
	olds, err := decoded(req.GetOldInputs())
	if err != nil {
		return nil, err
	}
	if kept := state[objects.InputsKey]; len(olds) == 0 && kept.IsObject() {
		olds = kept.ObjectValue()
	}
	live, _ := objects.Object(state)
	wanted, _ := objects.Object(news)
	urn := resource.URN(req.GetUrn())
	answer := objects.Change{
		Old: olds, New: news, Live: live, Ignored: req.GetIgnoreChanges(),
		Patch: objects.IsPatch(urn, wanted.GetKind()), Mutable: s.settings.mutable,
	}.Response()
	if s.isUnreadyJob(ctx, urn, state, news) {
		const path = `metadata.annotations["pulumi.com/replaceUnready"]`
		answer.Changes = pulumirpc.DiffResponse_DIFF_SOME
		answer.Replaces = append(answer.Replaces, path)
		answer.DetailedDiff[path] = &pulumirpc.PropertyDiff{
			Kind: pulumirpc.PropertyDiff_UPDATE_REPLACE,
		}
	}
	return answer, nil
}

// isUnreadyJob tells whether a job is to be made anew because it is not done.
func (s *Server) isUnreadyJob(
	ctx context.Context, urn resource.URN, state, news resource.PropertyMap,
) bool {
	wanted, _ := objects.Object(news)
	if !objects.Annotated(wanted, objects.ReplaceUnready) {
		return false
	}
	if wanted.GetKind() != "Job" {
		s.warn(ctx, urn, "%s counts for jobs only", objects.ReplaceUnready)
		return false
	}
	if s.unreachable(ctx) != nil {
		return false
	}
	known, _ := objects.Object(state)
	live, err := s.cluster.Get(ctx, known)
	return err == nil && s.waiter(ctx, urn).IsReady(ctx, live) != nil
}
