// Package node is what makes a machine a node: containerd, kubelet, kube-proxy, flannel, kube-router.
package node

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"coldstorage.local/lab/k3s/internal/api"
	"coldstorage.local/lab/k3s/internal/children"
	"coldstorage.local/lab/k3s/internal/options"
	"coldstorage.local/lab/k3s/internal/pki"
	"coldstorage.local/lab/k3s/internal/supervisor"
	"coldstorage.local/lab/k3s/internal/token"
)

// Cluster is how a node reaches its cluster.
type Cluster struct {
	// Server is where the supervisor answers, API where the Kubernetes API does.
	Server, API string
	Token       token.Token
	CA          []byte
}

// Node is this machine as a node.
type Node struct {
	options  *options.Options
	children *children.Group
	cluster  Cluster
	dir      string
	name     string
	address  string
	settings supervisor.Settings
}

// New returns this machine as a node of a cluster.
func New(o *options.Options, group *children.Group, cluster Cluster) *Node {
	return &Node{
		options: o, children: group, cluster: cluster, dir: filepath.Join(o.Text("data-dir"), "agent"),
	}
}

// Identity returns the node's name and address.
func Identity(o *options.Options) (name, address string, err error) {
	if name = o.Text("node-name"); name == "" {
		if name, err = os.Hostname(); err != nil {
			return "", "", err
		}
	}
	if address = o.Text("node-ip"); address != "" {
		return name, address, nil
	}
	// Nothing is sent: the kernel says which address it would send from.
	probe, err := net.Dial("udp4", "192.0.2.1:9")
	if err != nil {
		return "", "", fmt.Errorf("no default route, so no address: expected node-ip: %w", err)
	}
	defer probe.Close()
	address, _, err = net.SplitHostPort(probe.LocalAddr().String())
	return name, address, err
}

// Join starts the node as an agent of the server that it was told of, and of all that this one knows.
func (n *Node) Join(ctx context.Context) error {
	given, err := token.Given(n.options.Text("token"), n.options.Text("token-file"))
	if err != nil {
		return err
	}
	shown, err := token.Parse(given, token.Node)
	if err != nil {
		return err
	}
	first := n.options.Text("server")
	if first == "" {
		return errors.New("option server: expected the address of a server (--server or K3S_URL)")
	}
	where, err := url.Parse(first)
	if err != nil || where.Host == "" {
		return fmt.Errorf("option server: expected https://<host>:6443, got %q", first)
	}
	balancer, err := newBalancer(filepath.Join(n.dir, "etc/k3s-agent-load-balancer.json"), withPort(where))
	if err != nil {
		return err
	}
	local := "127.0.0.1:" + n.options.Text("lb-server-port")
	if err := balancer.serve(ctx, local); err != nil {
		return err
	}
	n.cluster = Cluster{Server: "https://" + local, API: "https://" + local, Token: shown}
	client, err := n.introduced(ctx, n.cluster.Server)
	if err != nil {
		return fmt.Errorf("joining %s as an agent: %w", first, err)
	}
	n.cluster.CA = client.Authority
	go balancer.follow(ctx, client.Client)
	if err := n.Start(ctx); err != nil {
		return fmt.Errorf("joining %s as an agent: %w", first, err)
	}
	return nil
}

// introduced waits for a server to answer; that it is the wrong one is no reason to wait.
func (n *Node) introduced(ctx context.Context, url string) (*Introduced, error) {
	for {
		client, err := Introduce(ctx, url, n.cluster.Token)
		if err == nil || errors.Is(err, ErrWrongCluster) {
			return client, err
		}
		log.Printf("Waiting for a server: %v", err)
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(2 * time.Second):
		}
	}
}

// Start runs the node's components.
func (n *Node) Start(ctx context.Context) (err error) {
	if n.name, n.address, err = Identity(n.options); err != nil {
		return err
	}
	client := api.Trusting(n.cluster.Server, n.cluster.CA)
	client.User, client.Password = n.cluster.Token.User, n.cluster.Token.Password
	if err := n.credentials(ctx, client); err != nil {
		return err
	}
	if err := n.startContainerd(ctx); err != nil {
		return err
	}
	if err := n.startKubelet(); err != nil {
		return err
	}
	if err := n.waitRegistered(ctx); err != nil {
		return err
	}
	return n.startNetwork()
}

// waitRegistered returns when the cluster knows the node and has addresses for its pods.
func (n *Node) waitRegistered(ctx context.Context) error {
	kubelet, err := api.WithFiles(n.cluster.API, n.path("server-ca.crt"),
		n.path("client-kubelet.crt"), n.path("client-kubelet.key"))
	if err != nil {
		return err
	}
	for {
		var node struct{ Spec struct{ PodCIDR string } }
		err := kubelet.Get(ctx, "/api/v1/nodes/"+n.name, &node)
		if err == nil && node.Spec.PodCIDR != "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("node %s was not registered: %w", n.name, err)
		case <-time.After(300 * time.Millisecond):
		}
	}
}

func (n *Node) path(name string) string { return filepath.Join(n.dir, name) }

// password is the node's own, by which servers know the machine again.
func password() (string, error) {
	const file = "/etc/rancher/node/password"
	if content, err := os.ReadFile(file); err == nil && len(content) > 0 {
		return string(content), nil
	}
	fresh := token.Random()
	return fresh, pki.Write(file, []byte(fresh), 0o600)
}

func withPort(where *url.URL) string {
	if where.Port() == "" {
		return net.JoinHostPort(where.Hostname(), "443")
	}
	return where.Host
}
