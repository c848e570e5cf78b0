// Package datastore runs this server's member of etcd and keeps the members' list right.
package datastore

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"coldstorage.local/lab/k3s/internal/children"
	"coldstorage.local/lab/k3s/internal/pki"
	"coldstorage.local/lab/k3s/internal/token"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"gopkg.in/yaml.v3"
)

const (
	clientPort = 2379
	peerPort   = 2380
	// Local is where this server's own member answers.
	Local = "https://127.0.0.1:2379"
)

// Datastore is the member of one server.
type Datastore struct {
	// ServerDir is the folder server below the data folder.
	ServerDir string
	NodeName  string
	Address   string
	Arguments []string
	Children  *children.Group
}

// Path returns where a file of server/db is.
func (d *Datastore) Path(name string) string {
	return filepath.Join(d.ServerDir, "db", name)
}

// Exists tells whether this server has been a member before.
func (d *Datastore) Exists() bool {
	_, err := os.Stat(d.Path("etcd/member/wal"))
	return err == nil
}

// Name returns what the member is called: the node and a few digits of its own.
func (d *Datastore) Name() (string, error) {
	file := d.Path("etcd/name")
	name, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		name = []byte(d.NodeName + "-" + token.Random()[:8])
		err = pki.Write(file, name, 0o600)
	}
	return string(name), err
}

// Start runs the member; initial lists all members if it is new, state is theirs.
func (d *Datastore) Start(initial []string, state string, extra ...string) error {
	name, err := d.Name()
	if err != nil {
		return err
	}
	client := fmt.Sprintf("https://%s:%d", d.Address, clientPort)
	if len(initial) == 0 {
		initial = []string{name + "=" + d.peerURL()}
	}
	transport := func(authority, certificate string) map[string]any {
		return map[string]any{
			"cert-file":        d.tls(certificate + ".crt"),
			"key-file":         d.tls(certificate + ".key"),
			"trusted-ca-file":  d.tls(authority + ".crt"),
			"client-cert-auth": true,
		}
	}
	settings := map[string]any{
		"name":                        name,
		"data-dir":                    d.Path("etcd"),
		"listen-client-urls":          Local + "," + client,
		"advertise-client-urls":       client,
		"listen-peer-urls":            d.peerURL(),
		"initial-advertise-peer-urls": d.peerURL(),
		"listen-metrics-urls":         "http://127.0.0.1:2381",
		"initial-cluster":             strings.Join(initial, ","),
		"initial-cluster-state":       state,
		"heartbeat-interval":          500,
		"election-timeout":            5000,
		"snapshot-count":              10000,
		"log-level":                   "warn",
		"logger":                      "zap",
		"log-outputs":                 []string{"stderr"},
		"client-transport-security":   transport("server-ca", "server-client"),
		"peer-transport-security":     transport("peer-ca", "peer-server-client"),
	}
	for _, argument := range append(d.Arguments, extra...) {
		key, value, _ := strings.Cut(strings.TrimLeft(argument, "-"), "=")
		var typed any
		if err := yaml.Unmarshal([]byte(value), &typed); err != nil {
			return fmt.Errorf("etcd-arg %s: %w", argument, err)
		}
		settings[key] = typed
	}
	text, err := yaml.Marshal(settings)
	if err != nil {
		return err
	}
	file := d.Path("etcd/config")
	if err := pki.Write(file, text, 0o600); err != nil {
		return err
	}
	return d.Children.Start("etcd", "--config-file="+file)
}

func (d *Datastore) peerURL() string {
	return fmt.Sprintf("https://%s:%d", d.Address, peerPort)
}

func (d *Datastore) tls(name string) string {
	return filepath.Join(d.ServerDir, "tls/etcd", name)
}

// Client returns a client of members; of this server's own if none is named.
func (d *Datastore) Client(endpoints ...string) (*clientv3.Client, error) {
	if len(endpoints) == 0 {
		endpoints = []string{Local}
	}
	pair, err := tls.LoadX509KeyPair(d.tls("client.crt"), d.tls("client.key"))
	if err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(d.tls("server-ca.crt"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	return clientv3.New(clientv3.Config{
		Endpoints:   endpoints,
		DialTimeout: 5 * time.Second,
		TLS:         &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}},
		Logger:      zap.NewNop(),
	})
}

// WaitReady returns when the cluster answers a linearizable read: it has a leader and a quorum.
func (d *Datastore) WaitReady(ctx context.Context) error {
	client, err := d.Client()
	if err != nil {
		return err
	}
	defer client.Close()
	return until(ctx, "etcd has no quorum yet", func(ctx context.Context) error {
		_, err := client.Get(ctx, "/bootstrap/health")
		return err
	})
}

// until asks again, each half second, what did not come true; it says now and then why.
func until(ctx context.Context, what string, attempt func(context.Context) error) error {
	said := time.Time{}
	for {
		once, cancel := context.WithTimeout(ctx, 3*time.Second)
		err := attempt(once)
		cancel()
		if err == nil {
			return nil
		}
		if time.Since(said) > 10*time.Second {
			fmt.Fprintf(os.Stderr, "Waiting: %s: %v\n", what, err)
			said = time.Now()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, err)
		case <-time.After(500 * time.Millisecond):
		}
	}
}
