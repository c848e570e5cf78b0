package provider

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	rpc "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// Main serves the resources, by type token, until the engine goes away.
func Main(name, version string, resources map[string]Resource) {
	err := rpc.Main(name, func(engine *rpc.HostClient) (pulumirpc.ResourceProviderServer, error) {
		return &server{name: name, version: version, resources: resources, engine: engine}, nil
	})
	if err != nil {
		fmt.Fprintf(os.Stderr, "pulumi-resource-%s (stand-in): %v\n", name, err)
		os.Exit(1)
	}
}

type server struct {
	pulumirpc.UnimplementedResourceProviderServer

	name, version string
	resources     map[string]Resource
	engine        *rpc.HostClient
	said          sync.Once
}

func (s *server) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: s.version}, nil
}

func (s *server) Handshake(
	context.Context, *pulumirpc.ProviderHandshakeRequest,
) (*pulumirpc.ProviderHandshakeResponse, error) {
	return &pulumirpc.ProviderHandshakeResponse{AcceptSecrets: true, AcceptOutputs: false}, nil
}

func (s *server) CheckConfig(
	_ context.Context, req *pulumirpc.CheckRequest,
) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: req.GetNews()}, nil
}

func (s *server) DiffConfig(
	context.Context, *pulumirpc.DiffRequest,
) (*pulumirpc.DiffResponse, error) {
	return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
}

func (s *server) Configure(
	ctx context.Context, _ *pulumirpc.ConfigureRequest,
) (*pulumirpc.ConfigureResponse, error) {
	var err error
	s.said.Do(func() {
		err = s.engine.Log(ctx, diag.Warning, "", fmt.Sprintf("STAND-IN: %s resources come from the "+
			"project's own pulumi-resource-%s, not from Pulumi's (it could not be downloaded here)",
			s.name, s.name))
	})
	return &pulumirpc.ConfigureResponse{AcceptSecrets: true, SupportsPreview: true}, err
}

// resource returns the type of a urn, or an error that lists the known ones.
func (s *server) resource(urn string) (Resource, error) {
	token := string(resource.URN(urn).Type())
	found, known := s.resources[token]
	if !known {
		return found, status.Errorf(codes.Unimplemented,
			"the stand-in for the %s provider has no %s; it has %s", s.name, token,
			strings.Join(slices.Sorted(maps.Keys(s.resources)), ", "))
	}
	return found, nil
}

func (s *server) Check(
	_ context.Context, req *pulumirpc.CheckRequest,
) (*pulumirpc.CheckResponse, error) {
	kind, err := s.resource(req.GetUrn())
	if err != nil {
		return nil, err
	}
	news, err := decoded(req.GetNews())
	if err != nil {
		return nil, err
	}
	inputs, wrong := kind.checked(news)
	answer := &pulumirpc.CheckResponse{}
	for _, name := range slices.Sorted(maps.Keys(wrong)) {
		answer.Failures = append(answer.Failures, &pulumirpc.CheckFailure{
			Property: name, Reason: wrong[name],
		})
	}
	answer.Inputs, err = encoded(inputs)
	return answer, err
}

func (s *server) Diff(
	_ context.Context, req *pulumirpc.DiffRequest,
) (*pulumirpc.DiffResponse, error) {
	kind, err := s.resource(req.GetUrn())
	if err != nil {
		return nil, err
	}
	state, err := decoded(req.GetOlds())
	if err != nil {
		return nil, err
	}
	news, err := decoded(req.GetNews())
	if err != nil {
		return nil, err
	}
	changed := slices.DeleteFunc(kind.replacedBy(state, news), func(name string) bool {
		return slices.Contains(req.GetIgnoreChanges(), name)
	})
	if len(changed) == 0 {
		return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
	}
	return &pulumirpc.DiffResponse{
		Changes: pulumirpc.DiffResponse_DIFF_SOME, Diffs: changed, Replaces: changed,
	}, nil
}

func (s *server) Create(
	_ context.Context, req *pulumirpc.CreateRequest,
) (*pulumirpc.CreateResponse, error) {
	kind, err := s.resource(req.GetUrn())
	if err != nil {
		return nil, err
	}
	inputs, err := decoded(req.GetProperties())
	if err != nil {
		return nil, err
	}
	id, outputs := "", kind.planned(inputs)
	if !req.GetPreview() {
		if id, outputs, err = kind.made(inputs); err != nil {
			return nil, err
		}
	}
	properties, err := encoded(outputs)
	return &pulumirpc.CreateResponse{Id: id, Properties: properties}, err
}

// Read answers what state says: such a resource lives nowhere else.
func (s *server) Read(
	_ context.Context, req *pulumirpc.ReadRequest,
) (*pulumirpc.ReadResponse, error) {
	if _, err := s.resource(req.GetUrn()); err != nil {
		return nil, err
	}
	if len(req.GetProperties().GetFields()) == 0 {
		return nil, status.Error(codes.Unimplemented, "the stand-in cannot import")
	}
	return &pulumirpc.ReadResponse{
		Id: req.GetId(), Properties: req.GetProperties(), Inputs: req.GetInputs(),
	}, nil
}

// Update is never right, since every change replaces.
func (s *server) Update(
	_ context.Context, req *pulumirpc.UpdateRequest,
) (*pulumirpc.UpdateResponse, error) {
	return nil, status.Errorf(codes.Internal, "%s: a change replaces, it never updates", req.GetUrn())
}

func (s *server) Delete(context.Context, *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (s *server) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

var wire = plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, SkipNulls: true}

func decoded(fields *structpb.Struct) (resource.PropertyMap, error) {
	return plugin.UnmarshalProperties(fields, wire)
}

func encoded(properties resource.PropertyMap) (*structpb.Struct, error) {
	return plugin.MarshalProperties(properties, wire)
}
