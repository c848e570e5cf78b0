package server

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"coldstorage.local/lab/kubernetes_plugin/internal/cluster"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"k8s.io/client-go/tools/clientcmd/api"
)

// CheckConfig refuses settings that are unknown, wrong or not covered, all at once.
func (s *Server) CheckConfig(
	_ context.Context, req *pulumirpc.CheckRequest,
) (*pulumirpc.CheckResponse, error) {
	news, err := decoded(req.GetNews())
	if err != nil {
		return nil, err
	}
	wrong := refused(texts(news))
	answer := &pulumirpc.CheckResponse{}
	for _, key := range slices.Sorted(maps.Keys(wrong)) {
		// Without a property: the engine would print its value, secret or not.
		answer.Failures = append(answer.Failures, &pulumirpc.CheckFailure{
			Reason: key + ": " + wrong[key],
		})
	}
	if given := news["kubeconfig"]; given.IsString() {
		news["kubeconfig"] = resource.MakeSecret(given)
	}
	answer.Inputs, err = encoded(news)
	return answer, err
}

// texts returns the known settings as text, as the engine hands them to Configure.
func texts(properties resource.PropertyMap) map[string]string {
	found := map[string]string{}
	for key, value := range properties {
		if strings.HasPrefix(string(key), "__") || key == "version" || key == "pluginDownloadURL" {
			continue
		}
		for value.IsSecret() {
			value = value.SecretValue().Element
		}
		switch {
		case value.IsComputed():
			found[string(key)] = ""
		case value.IsString():
			found[string(key)] = value.StringValue()
		default:
			text, err := json.Marshal(value.Mappable())
			if err == nil {
				found[string(key)] = string(text)
			}
		}
	}
	return found
}

// DiffConfig replaces everything in a cluster when it is another cluster: by its identifier if
// the program gives one, else by the kubeconfig's words for it.
func (s *Server) DiffConfig(
	_ context.Context, req *pulumirpc.DiffRequest,
) (*pulumirpc.DiffResponse, error) {
	olds, err := decoded(req.GetOlds())
	if err != nil {
		return nil, err
	}
	news, err := decoded(req.GetNews())
	if err != nil {
		return nil, err
	}
	was, is := texts(olds), texts(news)
	answer := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}
	for _, key := range slices.Sorted(maps.Keys(options)) {
		if was[key] != is[key] || news[resource.PropertyKey(key)].ContainsUnknowns() {
			answer.Changes = pulumirpc.DiffResponse_DIFF_SOME
			answer.Diffs = append(answer.Diffs, key)
		}
	}
	answer.Replaces = replacing(was, is, news, answer.Diffs)
	return answer, nil
}

func replacing(was, is map[string]string, news resource.PropertyMap, changed []string) []string {
	const identifier = "clusterIdentifier"
	if is[identifier] != "" && was[identifier] == is[identifier] {
		return nil
	}
	if is[identifier] != "" && was[identifier] != "" {
		return []string{identifier}
	}
	another := !reflect.DeepEqual(active(was), active(is)) && active(was) != nil && active(is) != nil
	var replaces []string
	for _, key := range []string{"kubeconfig", "context", "cluster"} {
		// Whether something unknown is another cluster cannot be told: the official provider
		// takes the careful way too.
		unknown := news[resource.PropertyKey(key)].ContainsUnknowns()
		if unknown || another && slices.Contains(changed, key) {
			replaces = append(replaces, key)
		}
	}
	return replaces
}

// active returns the cluster that a configuration leads to, as far as it says so itself.
func active(given map[string]string) *api.Cluster {
	config, err := cluster.Kubeconfig(given["kubeconfig"])
	if err != nil {
		return nil
	}
	name := given["cluster"]
	if name == "" {
		current := given["context"]
		if current == "" {
			current = config.CurrentContext
		}
		if config.Contexts[current] == nil {
			return nil
		}
		name = config.Contexts[current].Cluster
	}
	return config.Clusters[name]
}

// Configure prepares the way to the cluster; whether it can be reached is seen when it is needed.
func (s *Server) Configure(
	ctx context.Context, req *pulumirpc.ConfigureRequest,
) (*pulumirpc.ConfigureResponse, error) {
	s.said.Do(func() {
		s.warn(ctx, "", "STAND-IN: kubernetes resources come from the project's own "+
			"pulumi-resource-kubernetes, not from Pulumi's (it could not be downloaded here)")
	})
	given := map[string]string{}
	for key, value := range req.GetVariables() {
		name := strings.TrimPrefix(key, "kubernetes:config:")
		if name != "version" && name != "pluginDownloadURL" && !strings.HasPrefix(name, "__") {
			given[name] = value
		}
	}
	var err error
	if s.settings, err = parsed(given); err != nil {
		return nil, err
	}
	s.cluster = cluster.New(s.settings.connection(s.remark))
	return &pulumirpc.ConfigureResponse{
		AcceptSecrets: true, SupportsPreview: true, SupportsAutonamingConfiguration: true,
	}, nil
}

// remark passes on what the API server says about requests, each thing once.
func (s *Server) remark(text string) {
	if s.settings.suppressDeprecation && strings.Contains(text, "deprecated") {
		return
	}
	if _, known := s.remarks.LoadOrStore(text, true); !known {
		_ = s.engine.Log(s.running, diag.Warning, "", "the API server remarks: "+text)
	}
}
