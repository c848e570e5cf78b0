package cloud

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Provider says what a schema does not: how the provider is configured.
type Provider struct {
	Document []byte
	// Endpoints names the inputs that say where the cloud is; all must say the same.
	Endpoints []string
	// Token names the input that opens it.
	Token string
	// Autonamed tells whether a resource without a name is given one.
	Autonamed bool
}

// CheckConfig refuses a configuration that could lead anywhere but to the lab.
func (s *server) CheckConfig(
	_ context.Context, req *pulumirpc.CheckRequest,
) (*pulumirpc.CheckResponse, error) {
	news, err := decoded(req.GetNews())
	if err != nil {
		return nil, err
	}
	c := &checker{schema: s.schema, owner: "the provider"}
	delete(news, "version") // Pulumi's own
	c.object("", s.schema.Provider, news)
	for _, name := range s.Endpoints {
		c.endpoint(name, news[resource.PropertyKey(name)])
	}
	if absent(news[resource.PropertyKey(s.Token)]) {
		c.fault(s.Token, "must be given")
	}
	return &pulumirpc.CheckResponse{Inputs: req.GetNews(), Failures: c.faults}, nil
}

func (c *checker) endpoint(name string, value resource.PropertyValue) {
	value = bare(value)
	if unknown(value) || (!value.IsNull() && !value.IsString()) {
		return
	}
	if value.IsNull() {
		c.fault(name, "must be the lab's: without it the official provider would talk to the real "+
			"service, and this is a stand-in that never does")
		return
	}
	if where, err := url.Parse(value.StringValue()); err != nil || where.Scheme != "https" {
		c.fault(name, "must be an https:// address, got %q", value.StringValue())
	}
}

// DiffConfig says that a change of the configuration replaces nothing.
func (s *server) DiffConfig(
	_ context.Context, req *pulumirpc.DiffRequest,
) (*pulumirpc.DiffResponse, error) {
	olds, err := decoded(req.GetOldInputs())
	if err != nil {
		return nil, err
	}
	news, err := decoded(req.GetNews())
	if err != nil {
		return nil, err
	}
	var changed []string
	for name := range s.schema.Provider {
		key := resource.PropertyKey(name)
		if !plain(olds[key]).DeepEquals(plain(news[key])) {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	answer := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE, Diffs: changed}
	if len(changed) > 0 {
		answer.Changes = pulumirpc.DiffResponse_DIFF_SOME
	}
	return answer, nil
}

// Configure takes the address and the token; the cloud is asked only when there is something to ask.
func (s *server) Configure(
	ctx context.Context, req *pulumirpc.ConfigureRequest,
) (*pulumirpc.ConfigureResponse, error) {
	arguments, err := decoded(req.GetArgs())
	if err != nil {
		return nil, err
	}
	text := func(name string) string {
		if value := bare(arguments[resource.PropertyKey(name)]); value.IsString() {
			return value.StringValue()
		}
		return ""
	}
	s.api = newAPI(s.schema.Package, text(s.Endpoints[0]), text(s.Token))
	for _, name := range s.Endpoints[1:] {
		if text(name) != text(s.Endpoints[0]) {
			return nil, fmt.Errorf("%s and %s must be the same, the lab's", s.Endpoints[0], name)
		}
	}
	s.said.Do(func() {
		err = s.engine.Log(ctx, diag.Warning, "", fmt.Sprintf("STAND-IN: %s resources come from the "+
			"project's own pulumi-resource-%s and exist in the lab alone (the official plugin could "+
			"not be downloaded here)", s.schema.Package, s.schema.Package))
	})
	return &pulumirpc.ConfigureResponse{AcceptSecrets: true, SupportsPreview: true}, err
}
