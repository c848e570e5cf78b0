package cloud

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	rpc "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// Main serves a provider until the engine goes away.
func Main(provider Provider, version string) {
	schema, err := Parse(provider.Document)
	if err == nil {
		err = rpc.Main(schema.Package,
			func(engine *rpc.HostClient) (pulumirpc.ResourceProviderServer, error) {
				return newServer(provider, schema, version, engine), nil
			})
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "a stand-in for a provider: %v\n", err)
		os.Exit(1)
	}
}

type server struct {
	pulumirpc.UnimplementedResourceProviderServer
	Provider

	schema  *Schema
	version string
	engine  *rpc.HostClient
	api     *api
	said    sync.Once
	ended   context.Context
	end     context.CancelFunc
}

func newServer(provider Provider, schema *Schema, version string, engine *rpc.HostClient) *server {
	ended, end := context.WithCancel(context.Background())
	return &server{
		Provider: provider, schema: schema, version: version, engine: engine, ended: ended, end: end,
	}
}

func (s *server) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: s.version}, nil
}

func (s *server) Handshake(
	context.Context, *pulumirpc.ProviderHandshakeRequest,
) (*pulumirpc.ProviderHandshakeResponse, error) {
	return &pulumirpc.ProviderHandshakeResponse{AcceptSecrets: true}, nil
}

// Cancel ends what is under way; whether the cloud did it is then unknown, and is said so.
func (s *server) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	s.end()
	return &emptypb.Empty{}, nil
}

// kind returns the name of a resource's type.
func (s *server) kind(urn string) (string, error) {
	token := string(resource.URN(urn).Type())
	name, known := s.schema.resources[token]
	if !known {
		return "", status.Errorf(codes.Unimplemented, "the stand-in for the %s provider has no %s; "+
			"its schema has %d types", s.schema.Package, token, len(s.schema.resources))
	}
	return name, nil
}

// within bounds a call by the program's own timeout, and by the end of the run.
func (s *server) within(seconds float64) (context.Context, context.CancelFunc) {
	if seconds > 0 {
		return context.WithTimeout(s.ended, time.Duration(seconds*float64(time.Second)))
	}
	return context.WithTimeout(s.ended, longest)
}

func (s *server) Check(
	_ context.Context, req *pulumirpc.CheckRequest,
) (*pulumirpc.CheckResponse, error) {
	kind, err := s.kind(req.GetUrn())
	if err != nil {
		return nil, err
	}
	olds, news, _, err := three(req.GetOlds(), req.GetNews(), nil)
	if err != nil {
		return nil, err
	}
	inputs, faults := s.schema.Checked(kind, s.Autonamed, req, olds, news)
	fields, err := encoded(inputs)
	return &pulumirpc.CheckResponse{Inputs: fields, Failures: faults}, err
}

func (s *server) Diff(
	_ context.Context, req *pulumirpc.DiffRequest,
) (*pulumirpc.DiffResponse, error) {
	kind, err := s.kind(req.GetUrn())
	if err != nil {
		return nil, err
	}
	state, before, news, err := three(req.GetOlds(), req.GetOldInputs(), req.GetNews())
	if err != nil {
		return nil, err
	}
	return s.schema.Diff(kind, s.Autonamed, state, before, news, req.GetIgnoreChanges()), nil
}

// Invoke answers a look-up.
func (s *server) Invoke(
	_ context.Context, req *pulumirpc.InvokeRequest,
) (*pulumirpc.InvokeResponse, error) {
	name, known := s.schema.functions[req.GetTok()]
	if !known {
		return nil, status.Errorf(codes.Unimplemented, "the stand-in for the %s provider has no "+
			"look-up %s", s.schema.Package, req.GetTok())
	}
	arguments, err := decoded(req.GetArgs())
	if err != nil {
		return nil, err
	}
	c := &checker{schema: s.schema, owner: req.GetTok()}
	c.object("", s.schema.Functions[name].Inputs, arguments)
	if len(c.faults) > 0 {
		return &pulumirpc.InvokeResponse{Failures: c.faults}, nil
	}
	ctx, done := s.within(0)
	defer done()
	found, err := s.api.invoke(ctx, name, plainMap(arguments).Mappable())
	if err != nil {
		return nil, err
	}
	outputs := resource.NewPropertyMapFromMap(found)
	fields, err := encoded(sealed(s.schema.Functions[name].Outputs, outputs, nil))
	return &pulumirpc.InvokeResponse{Return: fields}, err
}

var wire = plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, SkipNulls: true}

func decoded(fields *structpb.Struct) (resource.PropertyMap, error) {
	return plugin.UnmarshalProperties(fields, wire)
}

func encoded(properties resource.PropertyMap) (*structpb.Struct, error) {
	return plugin.MarshalProperties(properties, wire)
}

func three(one, two, three *structpb.Struct) (a, b, c resource.PropertyMap, err error) {
	if a, err = decoded(one); err != nil {
		return
	}
	if b, err = decoded(two); err != nil {
		return
	}
	c, err = decoded(three)
	return
}
