package main

import (
	"context"
	"fmt"

	"github.com/bpg/terraform-provider-proxmox/fwprovider"
	sdkprovider "github.com/bpg/terraform-provider-proxmox/proxmoxtf/provider"
	pfbridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	sdkv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/x/muxer"
	"github.com/pulumi/pulumi-terraform-bridge/v3/unstable/metadata"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// provider describes the Terraform provider to the bridge as the released plugin does.
func provider(version string) (tfbridge.ProviderInfo, error) {
	info := tfbridge.ProviderInfo{
		P: pfbridge.MuxShimWithPF(context.Background(),
			sdkv2.NewProvider(sdkprovider.ProxmoxVirtualEnvironment()), fwprovider.New(version)()),
		Name:         "proxmox",
		Version:      version,
		Config:       map[string]*tfbridge.SchemaInfo{},
		Resources:    map[string]*tfbridge.ResourceInfo{},
		DataSources:  map[string]*tfbridge.DataSourceInfo{},
		MetadataInfo: tfbridge.NewProviderMetadata([]byte("{}")),
	}
	info.P.ResourcesMap().Range(func(name string, r shim.Resource) bool {
		if hasOwnID(r) && !bridgeNamesID[name] {
			info.Resources[name] = withResourceID()
		}
		return true
	})
	info.MustComputeTokens(tokenStrategy())
	info.SetAutonaming(255, "-")
	return info, dispatch(&info)
}

// dispatch tells the muxer which half (SDK v2 or plugin framework) serves a token. The released
// plugin reads it from a generated file; computing it takes no measurable time.
func dispatch(info *tfbridge.ProviderInfo) error {
	mux, ok := info.P.(interface {
		ResolveDispatch(*tfbridge.ProviderInfo) (muxer.DispatchTable, error)
	})
	if !ok {
		return fmt.Errorf("the bridge's muxed provider (%T) no longer resolves its dispatch table", info.P)
	}
	table, err := mux.ResolveDispatch(info)
	if err != nil {
		return err
	}
	return metadata.Set(info.GetMetadata(), "mux", table)
}

// bridgeNamesID are resources that the released plugin's list of renamed ids forgot, so that there
// the bridge's own name (sdnControllerEvpnId) stands.
var bridgeNamesID = map[string]bool{"proxmox_sdn_controller_evpn": true}

// hasOwnID tells whether a resource's `id` is more than a string that the provider makes up:
// Pulumi keeps the name `id` to itself, so that such an attribute needs another.
func hasOwnID(r shim.Resource) bool {
	id, ok := r.Schema().GetOk("id")
	return ok && (id.Required() || id.Optional() || id.Type() != shim.TypeString)
}

func withResourceID() *tfbridge.ResourceInfo {
	return &tfbridge.ResourceInfo{
		Fields: map[string]*tfbridge.SchemaInfo{"id": {Name: "resourceId", Type: "string"}},
		ComputeID: func(_ context.Context, state resource.PropertyMap) (resource.ID, error) {
			id := state["resourceId"]
			switch {
			case id.IsString():
				return resource.ID(id.StringValue()), nil
			case id.IsNumber():
				return resource.ID(fmt.Sprintf("%.0f", id.NumberValue())), nil
			}
			return "", fmt.Errorf("the provider answered without an id: %v", state)
		},
	}
}
