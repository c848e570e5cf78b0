package cloud

import (
	"context"
	"errors"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

func (s *server) Create(
	_ context.Context, req *pulumirpc.CreateRequest,
) (*pulumirpc.CreateResponse, error) {
	kind, err := s.kind(req.GetUrn())
	if err != nil {
		return nil, err
	}
	inputs, err := decoded(req.GetProperties())
	if err != nil {
		return nil, err
	}
	if req.GetPreview() {
		fields, err := encoded(s.planned(kind, inputs))
		return &pulumirpc.CreateResponse{Properties: fields}, err
	}
	ctx, done := s.within(req.GetTimeout())
	defer done()
	made, err := s.api.create(ctx, kind, plainMap(inputs).Mappable())
	if err != nil {
		return nil, err
	}
	fields, err := encoded(s.outputs(kind, made, inputs))
	return &pulumirpc.CreateResponse{Id: made.ID, Properties: fields}, err
}

// planned is what a preview knows: the inputs, and that the rest comes later.
func (s *server) planned(kind string, inputs resource.PropertyMap) resource.PropertyMap {
	outputs, declared := inputs.Copy(), s.schema.Resources[kind].Outputs
	for name := range declared {
		key := resource.PropertyKey(name)
		if _, given := inputs[key]; !given {
			outputs[key] = resource.MakeComputed(resource.NewStringProperty(""))
		}
	}
	return sealed(declared, outputs, inputs)
}

// outputs are what the cloud answered, with the secrets among them marked.
func (s *server) outputs(kind string, made Record, inputs resource.PropertyMap) resource.PropertyMap {
	return sealed(s.schema.Resources[kind].Outputs,
		resource.NewPropertyMapFromMap(made.Outputs), inputs)
}

// Read finds drift, and imports; a record that is gone has no id.
func (s *server) Read(
	_ context.Context, req *pulumirpc.ReadRequest,
) (*pulumirpc.ReadResponse, error) {
	kind, err := s.kind(req.GetUrn())
	if err != nil {
		return nil, err
	}
	before, err := decoded(req.GetInputs())
	if err != nil {
		return nil, err
	}
	ctx, done := s.within(0)
	defer done()
	found, err := s.api.read(ctx, kind, req.GetId())
	if errors.Is(err, errGone) {
		return &pulumirpc.ReadResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	outputs := s.outputs(kind, found, before)
	fields, err := encoded(outputs)
	if err != nil {
		return nil, err
	}
	inputs, err := encoded(s.schema.Live(kind, before, outputs))
	return &pulumirpc.ReadResponse{Id: found.ID, Properties: fields, Inputs: inputs}, err
}

func (s *server) Update(
	_ context.Context, req *pulumirpc.UpdateRequest,
) (*pulumirpc.UpdateResponse, error) {
	kind, err := s.kind(req.GetUrn())
	if err != nil {
		return nil, err
	}
	state, inputs, _, err := three(req.GetOlds(), req.GetNews(), nil)
	if err != nil {
		return nil, err
	}
	if req.GetPreview() {
		fields, err := encoded(s.foreseen(kind, state, inputs))
		return &pulumirpc.UpdateResponse{Properties: fields}, err
	}
	ctx, done := s.within(req.GetTimeout())
	defer done()
	made, err := s.api.update(ctx, kind, req.GetId(), plainMap(inputs).Mappable())
	if err != nil {
		return nil, err
	}
	fields, err := encoded(s.outputs(kind, made, inputs))
	return &pulumirpc.UpdateResponse{Properties: fields}, err
}

// foreseen is what an update will lead to: what the inputs say, and otherwise what there is.
func (s *server) foreseen(kind string, state, inputs resource.PropertyMap) resource.PropertyMap {
	outputs := inputs.Copy()
	for key, value := range state {
		_, given := inputs[key]
		declared, isInput := s.schema.Resources[kind].Inputs[string(key)]
		if !given && (!isInput || declared.OptionalComputed) {
			outputs[key] = value
		}
	}
	return sealed(s.schema.Resources[kind].Outputs, outputs, inputs)
}

func (s *server) Delete(_ context.Context, req *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	kind, err := s.kind(req.GetUrn())
	if err != nil {
		return nil, err
	}
	ctx, done := s.within(req.GetTimeout())
	defer done()
	return &emptypb.Empty{}, s.api.delete(ctx, kind, req.GetId())
}
