// A stand-in for Pulumi's own kubernetes plugin, used where that one cannot be downloaded.
package main

import (
	"fmt"
	"os"
	"slices"

	"coldstorage.local/lab/kubernetes_plugin/internal/server"
	rpc "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// version is set by the build to that of the official plugin whose place it takes.
var version = "0.0.0"

func main() {
	if slices.Contains(os.Args[1:], "--help") || slices.Contains(os.Args[1:], "-help") {
		fmt.Println("pulumi-resource-kubernetes", version, "(STAND-IN: the project's own, not Pulumi's;"+
			" started by the Pulumi engine, with the address to talk to as its argument)")
		return
	}
	err := rpc.Main("kubernetes",
		func(engine *rpc.HostClient) (pulumirpc.ResourceProviderServer, error) {
			return server.New(version, engine), nil
		})
	if err != nil {
		fmt.Fprintf(os.Stderr, "pulumi-resource-kubernetes (stand-in): %v\n", err)
		os.Exit(1)
	}
}
