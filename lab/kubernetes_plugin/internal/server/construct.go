package server

import (
	"context"
	"maps"
	"slices"
	"strings"

	"coldstorage.local/lab/kubernetes_plugin/internal/charts"
	rpc "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Construct makes a component and the resources in it.
func (s *Server) Construct(
	ctx context.Context, req *pulumirpc.ConstructRequest,
) (*pulumirpc.ConstructResponse, error) {
	kind, known := charts.Kinds[req.GetType()]
	if !known {
		return nil, status.Errorf(codes.Unimplemented,
			"STAND-IN: the project's own kubernetes plugin has no component %s; it has %s",
			req.GetType(), strings.Join(slices.Sorted(maps.Keys(charts.Kinds)), ", "))
	}
	inputs, err := decoded(req.GetInputs())
	if err != nil {
		return nil, err
	}
	// Warns if the cluster cannot be asked; rendering goes on without it.
	_ = s.unreachable(ctx)
	return rpc.Construct(ctx, req, s.engine.EngineConn(),
		kind.Construct(inputs, s.cluster, s.version))
}

// Invoke refuses what the older components ask a plugin for.
func (s *Server) Invoke(
	_ context.Context, req *pulumirpc.InvokeRequest,
) (*pulumirpc.InvokeResponse, error) {
	return nil, status.Errorf(codes.Unimplemented, "STAND-IN: the project's own kubernetes plugin "+
		"does not answer %s; use helm.v4.Chart, yaml.v2.ConfigGroup or yaml.v2.ConfigFile", req.GetTok())
}
