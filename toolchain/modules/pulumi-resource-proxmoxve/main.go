// Command pulumi-resource-proxmoxve is the proxmoxve provider, built from the Terraform provider
// and the bridge that the released plugin is made of.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfgen"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
)

// version is set by the linker, so that the catalogue alone decides it.
var version = "0.0.0-dev"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-proxmoxve:", err)
		os.Exit(1)
	}
}

func run() error {
	info, err := provider(version)
	if err != nil {
		return err
	}
	if len(os.Args) == 2 && os.Args[1] == "-schema" {
		return printSchema(os.Stdout)
	}
	// The engine never asks for the schema of a Python program's provider: the package has it.
	tfbridge.MainWithMuxer(context.Background(), "proxmoxve", info, []byte(`{"name":"proxmoxve"}`))
	return nil
}

// printSchema lets a test compare this build with the Python package, name by name.
func printSchema(out io.Writer) error {
	info, err := provider(version)
	if err != nil {
		return err
	}
	info.Name, info.ResourcePrefix = "proxmoxve", "proxmox" // as the generator expects them
	quiet := diag.DefaultSink(io.Discard, io.Discard, diag.FormatOptions{Color: colors.Never})
	spec, err := tfgen.GenerateSchema(info, quiet)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(spec)
}
