package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
	"google.golang.org/grpc"
)

// RunPlugin starts a plugin that is a Python program (a folder with PulumiPlugin.yaml) and passes
// its output on; the engine reads the plugin's port from it.
func (h *host) RunPlugin(
	req *pulumirpc.RunPluginRequest, server grpc.ServerStreamingServer[pulumirpc.RunPluginResponse],
) error {
	cmd, err := pluginCommand(server.Context(), req)
	if err != nil {
		return err
	}
	streams, stdout, stderr, err := rpcutil.MakeRunPluginStreams(server, false)
	if err != nil {
		return err
	}
	defer func(c io.Closer) { _ = c.Close() }(streams)
	cmd.Dir, cmd.Stdout, cmd.Stderr = req.GetPwd(), stdout, stderr
	cmd.Env = append(cmd.Env, req.GetEnv()...)

	var exit *exec.ExitError
	if err := cmd.Run(); errors.As(err, &exit) {
		return server.Send(&pulumirpc.RunPluginResponse{
			Output: &pulumirpc.RunPluginResponse_Exitcode{Exitcode: int32(exit.ExitCode())},
		})
	} else if err != nil {
		return fmt.Errorf("running the plugin %s: %w", req.GetName(), err)
	}
	return streams.Close()
}

// pluginCommand runs the folder's __main__.py, or else the package that its pyproject.toml names.
func pluginCommand(ctx context.Context, req *pulumirpc.RunPluginRequest) (*exec.Cmd, error) {
	python, options, err := resolve(req.GetInfo(), true)
	if err != nil {
		return nil, err
	}
	directory := req.GetInfo().GetProgramDirectory()
	if _, err := os.Stat(filepath.Join(directory, "__main__.py")); err == nil {
		return python.Command(ctx, append([]string{directory}, req.GetArgs()...)...)
	}
	buildable, err := toolchain.IsBuildablePackage(options.Root)
	if err != nil {
		return nil, err
	}
	if !buildable {
		return nil, fmt.Errorf("%s: expected a __main__.py or a pyproject.toml with a build system",
			directory)
	}
	project, err := toolchain.LoadPyproject(options.Root)
	if err != nil {
		return nil, err
	}
	return python.ModuleCommand(ctx, "pulumi.run.plugin",
		append([]string{project.Project.Name}, req.GetArgs()...)...)
}
