package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// alreadyReported is the executor's exit status after it has shown the error itself.
const alreadyReported = 32

// Run starts the program and waits for its end.
func (h *host) Run(ctx context.Context, req *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	err := h.warn(ctx, "STAND-IN: this program runs under the project's own Python language host, "+
		"not Pulumi's (the official one could not be downloaded here)")
	if err != nil {
		return nil, err
	}
	python, _, err := resolve(req.GetInfo(), false)
	if err != nil {
		return nil, err
	}
	if err := python.ValidateVenv(ctx); err != nil {
		return nil, err
	}
	config, err := configEnvironment(req)
	if err != nil {
		return nil, err
	}

	running, stop := context.WithCancel(h.cancelled)
	defer stop()
	context.AfterFunc(ctx, stop)
	cmd, err := python.Command(running, append([]string{h.executor}, h.arguments(req)...)...)
	if err != nil {
		return nil, err
	}
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, config...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	// Killed, as by the official host: an interrupt would print a traceback under what went wrong.
	cmd.WaitDelay = 5 * time.Second
	return outcome(cmd.Run()), nil
}

// arguments are those of the official host; an absent value is left out.
func (h *host) arguments(req *pulumirpc.RunRequest) []string {
	var args []string
	for _, flag := range [][2]string{
		{"--monitor", req.GetMonitorAddress()},
		{"--engine", h.engine},
		{"--project", req.GetProject()},
		{"--root_directory", req.GetInfo().GetRootDirectory()},
		{"--stack", req.GetStack()},
		{"--pwd", req.GetPwd()},
		{"--dry_run", strconv.FormatBool(req.GetDryRun())},
		{"--parallel", strconv.Itoa(int(req.GetParallel()))},
		{"--organization", req.GetOrganization()},
	} {
		if flag[1] != "" {
			args = append(args, flag[0], flag[1])
		}
	}
	return append(append(args, req.GetInfo().GetEntryPoint()), req.GetArgs()...)
}

// configEnvironment hands the stack's configuration over in the environment: arguments could be
// read by every user of the machine, and the values are decrypted here.
func configEnvironment(req *pulumirpc.RunRequest) ([]string, error) {
	secretKeys := req.GetConfigSecretKeys()
	if secretKeys == nil {
		secretKeys = []string{}
	}
	secrets, err := json.Marshal(secretKeys)
	if err != nil {
		return nil, err
	}
	environment := []string{"PULUMI_CONFIG_SECRET_KEYS=" + string(secrets)}
	if req.GetConfig() != nil {
		values, err := json.Marshal(req.GetConfig())
		if err != nil {
			return nil, err
		}
		environment = append(environment, "PULUMI_CONFIG="+string(values))
	}
	return environment, nil
}

// outcome tells the engine how the program ended, with the words of the official host.
func outcome(err error) *pulumirpc.RunResponse {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}
	case errors.As(err, &exit) && exit.ExitCode() == alreadyReported:
		return &pulumirpc.RunResponse{Bail: true}
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return &pulumirpc.RunResponse{
			Error: fmt.Sprintf("program exited with non-zero exit code: %d", exit.ExitCode()),
		}
	case errors.As(err, &exit):
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("program exited unexpectedly: %v", err)}
	}
	return &pulumirpc.RunResponse{Error: fmt.Sprintf("could not run the language executor: %v", err)}
}
