// Command flannel is flannel for a node of the lab: the backends vxlan and host-gw, leases in Kubernetes.
//
// Flannel's own command links every backend, one of whose modules cannot be had everywhere.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/flannel-io/flannel/pkg/backend"
	_ "github.com/flannel-io/flannel/pkg/backend/hostgw"
	_ "github.com/flannel-io/flannel/pkg/backend/vxlan"
	"github.com/flannel-io/flannel/pkg/ip"
	"github.com/flannel-io/flannel/pkg/lease"
	"github.com/flannel-io/flannel/pkg/subnet"
	"github.com/flannel-io/flannel/pkg/subnet/kube"
	"github.com/flannel-io/flannel/pkg/trafficmngr/iptables"
)

const (
	prefix       = "flannel.alpha.coreos.com"
	leaseTimeout = 30 * time.Second
	leasePause   = 500 * time.Millisecond
	checkSeconds = 60
	subnetFile   = "/run/flannel/subnet.env"
	subnetFolder = "/run/flannel"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "file that says how to reach the API")
	node := flag.String("node", "", "name of this node")
	config := flag.String("net-conf", "", "file with flannel's network configuration")
	address := flag.String("address", "", "this node's address")
	device := flag.String("iface", "", "network device, if not the one that has the address")
	conflist := flag.String("cni-conf", "", "file to write for containerd once the node has its lease")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	os.Setenv("NODE_NAME", *node)
	if err := run(ctx, *kubeconfig, *config, *address, *device, *conflist); err != nil {
		fmt.Fprintf(os.Stderr, "flannel: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig, configFile, address, device, conflist string) error {
	external, err := find(address, device)
	if err != nil {
		return err
	}
	manager, err := kube.NewSubnetManager(ctx, "", kubeconfig, prefix, configFile, false)
	if err != nil {
		return err
	}
	config, err := manager.GetNetworkConfig(ctx)
	if err != nil {
		return err
	}
	chosen, err := backend.NewManager(ctx, manager, external).GetBackend(config.BackendType)
	if err != nil {
		return err
	}
	var group sync.WaitGroup
	network, err := register(ctx, &group, chosen, config)
	if err != nil {
		return err
	}
	if err := masquerade(ctx, config, network.Lease()); err != nil {
		return err
	}
	if err := tell(config, network, conflist); err != nil {
		return err
	}
	network.Run(ctx)
	group.Wait()
	return nil
}

// register has the node's lease taken up. An API server may tell of a new node before it tells of
// the node's addresses, which flannel takes for a fault.
func register(
	ctx context.Context, group *sync.WaitGroup, chosen backend.Backend, config *subnet.Config,
) (network backend.Network, err error) {
	for deadline := time.Now().Add(leaseTimeout); time.Now().Before(deadline); time.Sleep(leasePause) {
		if network, err = chosen.RegisterNetwork(ctx, group, config); err == nil || ctx.Err() != nil {
			return network, err
		}
		fmt.Fprintf(os.Stderr, "flannel: no lease yet: %v\n", err)
	}
	return nil, err
}

func masquerade(ctx context.Context, config *subnet.Config, mine *lease.Lease) error {
	rules := &iptables.IPTablesManager{}
	if err := rules.Init(ctx); err != nil {
		return err
	}
	if err := rules.SetupAndEnsureMasqRules(ctx, config.Network, ip.IP4Net{}, ip.IP4Net{},
		config.IPv6Network, ip.IP6Net{}, ip.IP6Net{}, mine, checkSeconds, false); err != nil {
		return err
	}
	rules.SetupAndEnsureForwardRules(ctx, config.Network, config.IPv6Network, checkSeconds)
	return nil
}

// find returns the device that has the address.
func find(address, device string) (*backend.ExternalInterface, error) {
	wanted := net.ParseIP(address)
	var found *net.Interface
	var err error
	if device != "" {
		found, err = net.InterfaceByName(device)
	} else {
		found, err = ip.GetInterfaceByIP(wanted)
	}
	if err != nil {
		return nil, fmt.Errorf("no network device for %s %s: %w", address, device, err)
	}
	return &backend.ExternalInterface{Iface: found, IfaceAddr: wanted, ExtAddr: wanted}, nil
}

// tell writes what CNI plugins must know: the lease, and the chain that containerd calls for each pod.
func tell(config *subnet.Config, network backend.Network, conflist string) error {
	mine := network.Lease().Subnet
	if err := os.MkdirAll(subnetFolder, 0o755); err != nil {
		return err
	}
	text := fmt.Sprintf("FLANNEL_NETWORK=%s\nFLANNEL_SUBNET=%s\nFLANNEL_MTU=%d\nFLANNEL_IPMASQ=true\n",
		config.Network, mine, network.MTU())
	if err := os.WriteFile(subnetFile, []byte(text), 0o644); err != nil {
		return err
	}
	chain, err := json.MarshalIndent(map[string]any{
		"name": "cbr0", "cniVersion": "1.0.0",
		"plugins": []any{
			map[string]any{
				"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false,
				"hairpinMode": true, "forceAddress": true, "mtu": network.MTU(),
				"ipam": map[string]any{
					"type":   "host-local",
					"ranges": [][]map[string]string{{{"subnet": mine.String()}}},
					"routes": []map[string]string{{"dst": config.Network.String()}},
				},
				"isDefaultGateway": true,
			},
			map[string]any{"type": "portmap", "capabilities": map[string]bool{"portMappings": true}},
		},
	}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(conflist+".new", chain, 0o600); err != nil {
		return err
	}
	return os.Rename(conflist+".new", conflist)
}
