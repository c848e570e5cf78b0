package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
)

// host answers the engine; what it does not define is answered with "unimplemented".
type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer

	executor string
	engine   string             // the engine's address
	stop     context.CancelFunc // ends this process

	cancelled context.Context // done when the engine cancels
	cancel    context.CancelFunc
}

func newHost(executor, engine string, stop context.CancelFunc) *host {
	cancelled, cancel := context.WithCancel(context.Background())
	return &host{
		executor: executor, engine: engine, stop: stop, cancelled: cancelled, cancel: cancel,
	}
}

func (h *host) Handshake(
	_ context.Context, req *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	h.engine = req.GetEngineAddress()
	err := rpcutil.Healthcheck(context.Background(), h.engine, 5*time.Minute, h.stop)
	return &pulumirpc.LanguageHandshakeResponse{}, err
}

func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version}, nil
}

func (h *host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	h.cancel()
	return &emptypb.Empty{}, nil
}

// warn sends one line to the engine, which shows it under the stack.
func (h *host) warn(ctx context.Context, message string) error {
	connection, err := grpc.NewClient(h.engine,
		grpc.WithTransportCredentials(insecure.NewCredentials()), rpcutil.GrpcChannelOptions())
	if err != nil {
		return fmt.Errorf("reaching the engine: %w", err)
	}
	defer func() { _ = connection.Close() }()
	_, err = pulumirpc.NewEngineClient(connection).Log(ctx, &pulumirpc.LogRequest{
		Severity: pulumirpc.LogSeverity_WARNING, Message: message,
	})
	return err
}

func (h *host) InstallDependencies(
	req *pulumirpc.InstallDependenciesRequest,
	server grpc.ServerStreamingServer[pulumirpc.InstallDependenciesResponse],
) error {
	python, _, err := resolve(req.GetInfo(), req.GetIsPlugin())
	if err != nil {
		return err
	}
	streams, stdout, stderr, err := rpcutil.MakeInstallDependenciesStreams(server, req.GetIsTerminal())
	if err != nil {
		return err
	}
	defer func(c io.Closer) { _ = c.Close() }(streams)
	err = python.InstallDependencies(server.Context(), req.GetInfo().GetProgramDirectory(),
		req.GetUseLanguageVersionTools(), true, stdout, stderr)
	if err != nil {
		return err
	}
	return streams.Close()
}

// RuntimeOptionsPrompts asks nothing: the project file has the answers.
func (h *host) RuntimeOptionsPrompts(
	context.Context, *pulumirpc.RuntimeOptionsRequest,
) (*pulumirpc.RuntimeOptionsResponse, error) {
	return &pulumirpc.RuntimeOptionsResponse{}, nil
}

// About reads the virtual environment's own record. The engine asks at every run, and the official
// host starts Python three times for the answer, once with pip: half a second of each run.
func (h *host) About(
	ctx context.Context, req *pulumirpc.AboutRequest,
) (*pulumirpc.AboutResponse, error) {
	python, options, err := resolve(req.GetInfo(), false)
	if err != nil {
		return nil, err
	}
	answer := &pulumirpc.AboutResponse{Metadata: map[string]string{
		"toolchain": toolchain.Name(options.Toolchain), "languageHost": "stand-in " + version,
	}}
	if venv, err := python.VirtualEnvPath(ctx); err == nil {
		record, _ := os.ReadFile(filepath.Join(venv, "pyvenv.cfg"))
		if found := recordedVersion.FindSubmatch(record); found != nil {
			answer.Executable = filepath.Join(venv, "bin", "python")
			answer.Version = string(found[1])
			return answer, nil
		}
	}
	about, err := python.About(ctx)
	if err != nil {
		return nil, err
	}
	answer.Executable, answer.Version = about.PythonExecutable, about.PythonVersion.String()
	return answer, nil
}

var recordedVersion = regexp.MustCompile(`(?m)^version(?:_info)? *= *(\d+\.\d+\.\d+)`)

func (h *host) GetProgramDependencies(
	ctx context.Context, req *pulumirpc.GetProgramDependenciesRequest,
) (*pulumirpc.GetProgramDependenciesResponse, error) {
	python, _, err := resolve(req.GetInfo(), false)
	if err != nil {
		return nil, err
	}
	installed, err := python.ListPackages(ctx, req.GetTransitiveDependencies())
	if err != nil {
		return nil, err
	}
	var answer pulumirpc.GetProgramDependenciesResponse
	for _, p := range installed {
		answer.Dependencies = append(answer.Dependencies,
			&pulumirpc.DependencyInfo{Name: p.Name, Version: p.Version})
	}
	return &answer, nil
}
