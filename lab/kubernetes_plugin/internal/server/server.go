// Package server answers the Pulumi engine as the official kubernetes plugin does, where users see
// it. It says once in every run that it is a stand-in, and refuses what it does not cover.
package server

import (
	"context"
	"fmt"
	"sync"
	"time"

	"coldstorage.local/lab/kubernetes_plugin/internal/cluster"
	"coldstorage.local/lab/kubernetes_plugin/internal/objects"
	"coldstorage.local/lab/kubernetes_plugin/internal/waiting"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	rpc "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// Server is one configured provider.
type Server struct {
	pulumirpc.UnimplementedResourceProviderServer

	version  string
	engine   *rpc.HostClient
	settings settings
	cluster  *cluster.Cluster

	// running ends when the engine cancels; every wait ends with it.
	running context.Context
	cancel  context.CancelFunc

	said, warned sync.Once
	remarks      sync.Map
}

// New returns a provider that waits to be configured.
func New(version string, engine *rpc.HostClient) *Server {
	running, cancel := context.WithCancel(context.Background())
	return &Server{version: version, engine: engine, running: running, cancel: cancel}
}

// GetPluginInfo returns the version of the official plugin whose place this one takes.
func (s *Server) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: s.version}, nil
}

// Handshake tells the engine what it may send.
func (s *Server) Handshake(
	context.Context, *pulumirpc.ProviderHandshakeRequest,
) (*pulumirpc.ProviderHandshakeResponse, error) {
	return &pulumirpc.ProviderHandshakeResponse{
		AcceptSecrets: true, SupportsAutonamingConfiguration: true,
	}, nil
}

// Cancel ends every wait.
func (s *Server) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	s.cancel()
	return &emptypb.Empty{}, nil
}

// within returns a context that ends with the time, the request or the run.
func (s *Server) within(
	ctx context.Context, time time.Duration,
) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, time)
	stop := context.AfterFunc(s.running, cancel)
	return ctx, func() { stop(); cancel() }
}

func (s *Server) waiter(ctx context.Context, urn resource.URN) waiting.Waiter {
	return waiting.Waiter{Cluster: s.cluster, Say: func(message string) {
		// Only a remark in the progress display: nothing is lost if it does not arrive.
		_ = s.engine.LogStatus(ctx, diag.Info, urn, message)
	}}
}

func (s *Server) warn(ctx context.Context, urn resource.URN, format string, values ...any) {
	_ = s.engine.Log(ctx, diag.Warning, urn, fmt.Sprintf(format, values...))
}

// unreachable returns why the cluster cannot be reached, and warns of it once.
func (s *Server) unreachable(ctx context.Context) error {
	err := s.cluster.Reachable()
	if err != nil {
		err = fmt.Errorf("the Kubernetes cluster is unreachable: %w", err)
		s.warned.Do(func() { s.warn(ctx, "", "%v", err) })
	}
	return err
}

// manager returns the name under which a resource owns fields.
func manager(urn resource.URN, state, inputs resource.PropertyMap) string {
	wanted, _ := objects.Object(inputs)
	if given := objects.ManagerGiven(wanted); given != "" {
		return given
	}
	if kept := objects.Manager(state); kept != "" {
		return kept
	}
	return objects.ManagerOf(urn)
}

var wire = plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, SkipNulls: true}

func decoded(fields *structpb.Struct) (resource.PropertyMap, error) {
	return plugin.UnmarshalProperties(fields, wire)
}

func encoded(properties resource.PropertyMap) (*structpb.Struct, error) {
	return plugin.MarshalProperties(properties, wire)
}
