package main

import (
	"fmt"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// resolve finds the Python that `runtime.options` of a project or plugin names.
func resolve(
	info *pulumirpc.ProgramInfo, isPlugin bool,
) (toolchain.Toolchain, toolchain.PythonOptions, error) {
	options := toolchain.PythonOptions{
		Root: info.GetRootDirectory(), ProgramDir: info.GetProgramDirectory(),
	}
	for key, value := range info.GetOptions().AsMap() {
		text, ok := value.(string)
		if !ok {
			return nil, options, fmt.Errorf("runtime.options.%s: expected text, got %v", key, value)
		}
		switch key {
		case "virtualenv":
			options.Virtualenv = text
		case "toolchain":
			switch text {
			case "pip":
				options.Toolchain = toolchain.Pip
			case "uv":
				options.Toolchain = toolchain.Uv
			case "poetry":
				options.Toolchain = toolchain.Poetry
			default:
				return nil, options, fmt.Errorf(
					"runtime.options.toolchain: expected pip, uv or poetry, got %q", text)
			}
		default:
			return nil, options, fmt.Errorf(
				"runtime.options.%s: the stand-in knows virtualenv and toolchain only", key)
		}
	}
	// As in the official host: a plugin never runs on whatever Python is on PATH.
	if isPlugin && options.Virtualenv == "" && options.Toolchain <= toolchain.Pip {
		options.Virtualenv = "venv"
	}
	python, err := toolchain.ResolveToolchain(options)
	return python, options, err
}
