package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// GetRequiredPackages reads the pulumi-plugin.json of every package in the virtual environment.
// The official host asks pip for the list first, which takes half a second of every run.
func (h *host) GetRequiredPackages(
	ctx context.Context, req *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	python, _, err := resolve(req.GetInfo(), false)
	if err != nil {
		return nil, err
	}
	venv, err := python.VirtualEnvPath(ctx)
	if err != nil {
		return nil, err
	}
	found, err := filepath.Glob(filepath.Join(venv, "lib/python*/site-packages/*/pulumi-plugin.json"))
	if err != nil {
		return nil, err
	}
	var answer pulumirpc.GetRequiredPackagesResponse
	for _, path := range found {
		required, err := requiredPackage(path)
		if err != nil {
			return nil, err
		}
		if required != nil {
			answer.Packages = append(answer.Packages, required)
		}
	}
	return &answer, nil
}

// requiredPackage returns nil for a package that says it has no plugin.
func requiredPackage(path string) (*pulumirpc.PackageDependency, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var wanted plugin.PulumiPluginJSON
	if err := json.Unmarshal(text, &wanted); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if !wanted.Resource {
		return nil, nil
	}
	if wanted.Name == "" || wanted.Version == "" {
		return nil, fmt.Errorf("%s: expected a name and a version", path)
	}
	dependency := &pulumirpc.PackageDependency{
		Kind: "resource", Name: wanted.Name, Server: wanted.Server,
		Version: "v" + strings.TrimPrefix(wanted.Version, "v"),
	}
	if p := wanted.Parameterization; p != nil {
		dependency.Parameterization = &pulumirpc.PackageParameterization{
			Name: p.Name, Version: p.Version, Value: p.Value,
		}
	}
	return dependency, nil
}
