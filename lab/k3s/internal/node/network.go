package node

import (
	"encoding/json"
	"log"
	"os"

	"coldstorage.local/lab/k3s/internal/children"
	"coldstorage.local/lab/k3s/internal/pki"
)

// startNetwork runs flannel, kube-proxy and the controller of network policies, unless somebody else
// is to do their work.
func (n *Node) startNetwork() error {
	if n.settings.FlannelBackend != "none" {
		if err := n.startFlannel(); err != nil {
			return err
		}
	}
	if !n.settings.DisableKubeProxy {
		if err := n.startProxy(); err != nil {
			return err
		}
	}
	if n.settings.DisableNetworkPolicy {
		return nil
	}
	return n.children.Start("kube-router", "--kubeconfig="+n.path("k3scontroller.kubeconfig"),
		"--node="+n.name, "--service-cidr="+n.settings.ServiceCIDR,
		"--service-node-port-range="+n.settings.NodePorts)
}

func (n *Node) startProxy() error {
	return n.children.Start("kube-proxy", children.Flags(map[string]string{
		"cluster-cidr": n.settings.ClusterCIDR, "hostname-override": n.name,
		"kubeconfig": n.path("kubeproxy.kubeconfig"), "proxy-mode": "iptables",
		"healthz-bind-address": "127.0.0.1", "conntrack-max-per-core": "0",
		"conntrack-tcp-timeout-established": "0s", "conntrack-tcp-timeout-close-wait": "0s",
	}, n.options.List("kube-proxy-arg"))...)
}

func (n *Node) startFlannel() error {
	config, err := json.Marshal(map[string]any{
		"Network": n.settings.ClusterCIDR, "EnableIPv4": true,
		"Backend": map[string]string{"Type": n.settings.FlannelBackend},
	})
	if err != nil {
		return err
	}
	file := n.path("etc/flannel/net-conf.json")
	if err := pki.Write(file, config, 0o600); err != nil {
		return err
	}
	if err := os.MkdirAll(n.path("etc/cni/net.d"), 0o700); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"/proc/sys/net/ipv4/ip_forward":                "1",
		"/proc/sys/net/bridge/bridge-nf-call-iptables": "1",
	} {
		// A machine that forbids it may have it already; whoever misses it will say so.
		if err := os.WriteFile(name, []byte(value), 0o644); err != nil {
			log.Printf("%s: %v", name, err)
		}
	}
	return n.children.Start("flannel", "--kubeconfig="+n.path("k3scontroller.kubeconfig"), "--node="+n.name,
		"--net-conf="+file, "--address="+n.address, "--iface="+n.options.Text("flannel-iface"),
		"--cni-conf="+n.path("etc/cni/net.d/10-flannel.conflist"))
}
