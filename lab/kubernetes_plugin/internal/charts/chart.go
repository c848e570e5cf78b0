package charts

import (
	"context"
	"fmt"
	"os"
	"strings"

	"coldstorage.local/lab/kubernetes_plugin/internal/cluster"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/cli"
	"helm.sh/helm/v3/pkg/registry"
	"helm.sh/helm/v3/pkg/release"
)

// Chart says which chart, and how to render it.
type Chart struct {
	Name, Namespace, Chart, Version string
	Repository                      Repository
	Values                          map[string]any
	SkipCRDs, PlainHTTP             bool
	Devel                           bool
}

// Repository says where a chart that is named without a place comes from.
type Repository struct {
	Address, Username, Password string
}

// rendered returns the chart's objects as text, without its hooks, and the chart itself.
func (c Chart) rendered(ctx context.Context, from *cluster.Cluster) (*release.Release, error) {
	settings := cli.New()
	client := action.NewInstall(&action.Configuration{Log: func(string, ...any) {}})
	client.DryRun, client.ClientOnly, client.Replace = true, true, true
	client.DryRunOption = "client"
	client.DisableHooks, client.DisableOpenAPIValidation = true, true
	client.IncludeCRDs = !c.SkipCRDs
	client.ReleaseName, client.Namespace = c.Name, c.Namespace
	client.Version, client.Devel = c.Version, c.Devel
	client.RepoURL, client.Username = c.Repository.Address, c.Repository.Username
	client.Password = c.Repository.Password
	client.PlainHTTP = c.PlainHTTP
	if c.Version == "" && c.Devel {
		client.Version = ">0.0.0-0"
	}
	if err := capabilities(client, from); err != nil {
		return nil, err
	}
	found, err := c.found(client, settings)
	if err != nil {
		return nil, err
	}
	made, err := client.RunWithContext(ctx, found, c.Values)
	if err != nil {
		return nil, fmt.Errorf("rendering the chart %s: %w", c.Chart, err)
	}
	return made, nil
}

// found loads the chart from a directory, an archive, a repository or a registry.
func (c Chart) found(client *action.Install, settings *cli.EnvSettings) (*chart.Chart, error) {
	if registry.IsOCI(c.Chart) {
		options := []registry.ClientOption{registry.ClientOptCredentialsFile(os.DevNull)}
		if c.PlainHTTP {
			options = append(options, registry.ClientOptPlainHTTP())
		}
		if c.Repository.Username != "" {
			options = append(options,
				registry.ClientOptBasicAuth(c.Repository.Username, c.Repository.Password))
		}
		access, err := registry.NewClient(options...)
		if err != nil {
			return nil, err
		}
		client.SetRegistryClient(access)
	}
	place, err := client.LocateChart(c.Chart, settings)
	if err != nil {
		return nil, fmt.Errorf("finding the chart %s: %w", c.Chart, err)
	}
	found, err := loader.Load(place)
	if err != nil {
		return nil, fmt.Errorf("loading the chart %s: %w", c.Chart, err)
	}
	if kind := found.Metadata.Type; kind != "" && kind != "application" {
		return nil, fmt.Errorf("the chart %s is a %s and cannot be installed", c.Chart, kind)
	}
	if needed := found.Metadata.Dependencies; needed != nil {
		if err := action.CheckDependencies(found, needed); err != nil {
			return nil, fmt.Errorf("the chart %s (run `helm dependency build` there): %w",
				c.Chart, err)
		}
	}
	return found, nil
}

// capabilities lets templates see the cluster's version and kinds, if it can be asked.
func capabilities(client *action.Install, from *cluster.Cluster) error {
	if from.Reachable() != nil {
		return nil
	}
	from.Discovery.Invalidate()
	version, err := from.Discovery.ServerVersion()
	if err != nil {
		return err
	}
	client.KubeVersion = &chartutil.KubeVersion{
		Version: version.GitVersion, Major: version.Major, Minor: version.Minor,
	}
	client.APIVersions, err = action.GetVersionSet(from.Discovery)
	return err
}

// hooks names the hooks of a release that would have run, tests aside.
func hooks(made *release.Release) string {
	var names []string
	for _, hook := range made.Hooks {
		events := make([]string, 0, len(hook.Events))
		for _, event := range hook.Events {
			if event != release.HookTest {
				events = append(events, event.String())
			}
		}
		if len(events) > 0 {
			names = append(names, fmt.Sprintf("%s %s (%s)", hook.Kind, hook.Name,
				strings.Join(events, ", ")))
		}
	}
	return strings.Join(names, "; ")
}
