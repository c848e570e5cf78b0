// Package controlplane is what `k3s server` does: etcd, the Kubernetes control plane and a node.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"coldstorage.local/lab/k3s/internal/addons"
	"coldstorage.local/lab/k3s/internal/api"
	"coldstorage.local/lab/k3s/internal/children"
	"coldstorage.local/lab/k3s/internal/datastore"
	"coldstorage.local/lab/k3s/internal/node"
	"coldstorage.local/lab/k3s/internal/options"
	"coldstorage.local/lab/k3s/internal/pki"
	"coldstorage.local/lab/k3s/internal/supervisor"
	"coldstorage.local/lab/k3s/internal/token"
)

// Server is one server of the cluster.
type Server struct {
	options  *options.Options
	children *children.Group
	store    *datastore.Datastore
	dir      string
	node     string
	address  string
	version  string

	cluster    *pki.Cluster
	api        *api.Client
	supervisor *supervisor.Supervisor
	password   string
	agent      string
}

// New returns a server as the options say.
func New(o *options.Options, group *children.Group, version string) (*Server, error) {
	name, address, err := node.Identity(o)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(o.Text("data-dir"), "server")
	s := &Server{options: o, children: group, dir: dir, node: name, address: address, version: version}
	s.store = &datastore.Datastore{
		ServerDir: dir, NodeName: name, Address: address, Arguments: o.List("etcd-arg"), Children: group,
	}
	return s, s.tokens()
}

// Store returns the server's member of etcd.
func (s *Server) Store() *datastore.Datastore { return s.store }

// Reset is `k3s server --cluster-reset`.
func (s *Server) Reset(ctx context.Context) error {
	snapshots, err := datastore.OfOptions(s.store, s.options)
	if err != nil {
		return err
	}
	return snapshots.Reset(ctx, s.password, s.options.Text("cluster-reset-restore-path"))
}

// Run starts everything and returns when it stands.
func (s *Server) Run(ctx context.Context) error {
	if err := s.store.Restarted(); err != nil {
		return err
	}
	if err := s.startEtcd(ctx); err != nil {
		return err
	}
	if err := s.share(ctx); err != nil {
		return err
	}
	if err := s.prepare(); err != nil {
		return err
	}
	if err := s.startComponents(ctx); err != nil {
		return err
	}
	if err := s.deploy(ctx); err != nil {
		return err
	}
	n := node.New(s.options, s.children, node.Cluster{
		Server: "https://" + net.JoinHostPort(s.address, s.port()), API: "https://127.0.0.1:" + s.port(),
		Token: token.Token{User: token.Node, Password: s.agent}, CA: s.cluster.Server.PEM,
	})
	if err := n.Start(ctx); err != nil {
		return err
	}
	return s.afterwards(ctx)
}

// startEtcd goes on as a member, becomes one, or makes the cluster.
func (s *Server) startEtcd(ctx context.Context) error {
	url := s.options.Text("server")
	joins := url != "" && !s.store.Exists()
	if url == "" && !s.store.Exists() && !s.options.On("cluster-init") {
		return errors.New("this stand-in keeps its data in etcd only: expected cluster-init, or server to join one")
	}
	var endpoints []string
	if joins {
		var err error
		if endpoints, err = s.askToJoin(ctx, url); err != nil {
			return err
		}
	}
	if err := s.certificates(); err != nil {
		return err
	}
	if joins {
		if err := s.store.Join(ctx, endpoints); err != nil {
			return err
		}
	} else if err := s.store.Start(nil, "new"); err != nil {
		return err
	}
	return s.store.WaitReady(ctx)
}

// askToJoin fetches what servers have in common, and says where etcd answers.
func (s *Server) askToJoin(ctx context.Context, url string) ([]string, error) {
	given, err := token.Given(s.options.Text("token"), s.options.Text("token-file"))
	if err != nil {
		return nil, err
	}
	shown, err := token.Parse(given, token.Server)
	if err != nil {
		return nil, err
	}
	client, err := node.Introduce(ctx, url, shown)
	if err != nil {
		return nil, err
	}
	var shared datastore.Shared
	if err := client.Get(ctx, "/v1-k3s/server-bootstrap", &shared); err != nil {
		return nil, fmt.Errorf("joining %s as a server: %w", url, err)
	}
	if err := shared.WriteTo(s.dir); err != nil {
		return nil, err
	}
	var endpoints []string
	return endpoints, client.Get(ctx, "/db/info", &endpoints)
}

func (s *Server) certificates() error {
	cluster, err := pki.LoadCluster(filepath.Join(s.dir, "tls"))
	if err != nil {
		return err
	}
	s.cluster = cluster
	first, err := firstAddress(s.options.Text("service-cidr"))
	if err != nil {
		return err
	}
	names := []string{
		"kubernetes", "kubernetes.default", "kubernetes.default.svc",
		"kubernetes.default.svc." + s.options.Text("cluster-domain"),
		"localhost", "127.0.0.1", s.node, s.address, first,
	}
	for _, extra := range append(s.options.List("tls-san"), s.options.Text("advertise-address")) {
		if extra != "" {
			names = append(names, extra)
		}
	}
	return cluster.IssueAll(names, datastore.EtcdNames(s.address))
}

// share keeps in etcd what a server needs that has nothing but a snapshot and the token.
func (s *Server) share(ctx context.Context) error {
	client, err := s.store.Client()
	if err != nil {
		return err
	}
	defer client.Close()
	theirs, err := datastore.FetchShared(ctx, client, s.password)
	if err != nil {
		return err
	}
	if theirs != nil {
		if err := theirs.WriteTo(s.dir); err != nil {
			return err
		}
		return s.certificates()
	}
	if err := s.encryption(); err != nil {
		return err
	}
	ours, err := datastore.ReadShared(s.dir)
	if err != nil {
		return err
	}
	return datastore.SaveShared(ctx, client, ours, s.password)
}

// prepare writes the files that others read: tokens and kubeconfigs.
func (s *Server) prepare() error {
	if err := supervisor.WriteTokens(s.dir, s.cluster.Server.PEM, s.password, s.agent); err != nil {
		return err
	}
	for _, user := range []string{"admin", "controller", "scheduler", "supervisor"} {
		config := s.kubeconfig("client-" + user)
		if err := pki.Write(filepath.Join(s.dir, "cred", user+".kubeconfig"), config, 0o600); err != nil {
			return err
		}
	}
	mode, err := strconv.ParseUint(s.options.Text("write-kubeconfig-mode"), 8, 12)
	if err != nil {
		return fmt.Errorf("option write-kubeconfig-mode: expected an octal number: %w", err)
	}
	place := s.options.Text("write-kubeconfig")
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		return err
	}
	return pki.Write(place, s.administrator(), os.FileMode(mode))
}

// deploy applies the manifests; the first of them let flannel see the nodes.
func (s *Server) deploy(ctx context.Context) error {
	deployer := addons.Deployer{
		Dir: filepath.Join(s.dir, "manifests"), Children: s.children,
		Kubeconfig: filepath.Join(s.dir, "cred/supervisor.kubeconfig"),
		Values: map[string]string{
			"CLUSTER_DNS": s.options.Text("cluster-dns"), "CLUSTER_DOMAIN": s.options.Text("cluster-domain"),
		},
	}
	if err := deployer.Write(s.options.List("disable")); err != nil {
		return err
	}
	go deployer.Run(ctx)
	return nil
}

// afterwards starts what a cluster that stands needs: labels, snapshots, members' care.
func (s *Server) afterwards(ctx context.Context) error {
	roles := map[string]string{}
	for _, role := range []string{"control-plane", "etcd", "master"} {
		roles["node-role.kubernetes.io/"+role] = "true"
	}
	if err := s.api.Label(ctx, s.node, roles); err != nil {
		return err
	}
	go s.store.RemoveGone(ctx, s.api.NodeNames)
	if s.options.On("etcd-disable-snapshots") {
		return nil
	}
	snapshots, err := datastore.OfOptions(s.store, s.options)
	if err != nil {
		return err
	}
	keep, err := strconv.Atoi(s.options.Text("etcd-snapshot-retention"))
	if err != nil {
		return fmt.Errorf("option etcd-snapshot-retention: %w", err)
	}
	return snapshots.Schedule(ctx, s.options.Text("etcd-snapshot-schedule-cron"), keep)
}

func (s *Server) port() string { return s.options.Text("https-listen-port") }

func firstAddress(cidr string) (string, error) {
	_, network, err := net.ParseCIDR(cidr)
	if err != nil {
		return "", fmt.Errorf("option service-cidr: %w", err)
	}
	first := network.IP.To4()
	first[3]++
	return first.String(), nil
}

// waitFor asks again until it is so, or the context ends.
func waitFor(ctx context.Context, what string, so func(context.Context) error) error {
	for {
		err := so(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, errors.Join(ctx.Err(), err))
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func trimmed(file string) string {
	content, _ := os.ReadFile(file) // none is as good as an empty one
	return strings.TrimSpace(string(content))
}
