package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log"
	"maps"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"coldstorage.local/lab/k3s/internal/children"
	"coldstorage.local/lab/k3s/internal/controlplane"
	"coldstorage.local/lab/k3s/internal/node"
	"coldstorage.local/lab/k3s/internal/options"
	"coldstorage.local/lab/k3s/internal/payload"
)

func keys(m map[string]string) iter.Seq[string] { return maps.Keys(m) }

// start reads the options of a command and unpacks the programs.
func start(command string, arguments []string) (*options.Options, *children.Group, string, error) {
	if os.Geteuid() != 0 {
		return nil, nil, "", errors.New("must be run as root")
	}
	o, err := options.Load(command, arguments)
	if err != nil {
		return nil, nil, "", err
	}
	if len(o.Rest) > 0 && command != "etcd-snapshot" {
		return nil, nil, "", fmt.Errorf("%s: what is %q?", command, o.Rest)
	}
	carried, err := payload.Read()
	if err != nil {
		return nil, nil, "", err
	}
	bin, err := carried.Unpack(o.Text("data-dir"))
	return o, children.New(bin), carried.Version, err
}

// whileWanted returns a context that ends when systemd or a person says so.
func whileWanted() context.Context {
	ctx, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	return ctx
}

func server(arguments []string) error {
	o, group, version, err := start("server", arguments)
	if err != nil {
		return err
	}
	log.Printf("Starting k3s %s (%s)", version, standIn)
	ctx := whileWanted()
	s, err := controlplane.New(o, group, version)
	if err != nil {
		return err
	}
	if o.On("cluster-reset") {
		if err := s.Reset(ctx); err != nil {
			return err
		}
		fmt.Fprintln(os.Stderr, "Managed etcd cluster membership has been reset, restart without "+
			"--cluster-reset flag now. Backup and delete "+filepath.Join(o.Text("data-dir"), "server/db")+
			" on each peer etcd server and rejoin the nodes")
		return nil
	}
	return supervised(ctx, group, s.Run)
}

func agent(arguments []string) error {
	o, group, version, err := start("agent", arguments)
	if err != nil {
		return err
	}
	log.Printf("Starting k3s agent %s (%s)", version, standIn)
	ctx := whileWanted()
	n := node.New(o, group, node.Cluster{})
	return supervised(ctx, group, n.Join)
}

// supervised runs until the first of: asked to stop, could not start, a program ended.
func supervised(ctx context.Context, group *children.Group, run func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer group.Stop()
	defer cancel()
	failed := make(chan error, 1)
	go func() {
		if err := run(ctx); err != nil {
			failed <- err
		} else if ctx.Err() == nil {
			notifyReady()
		}
	}()
	ended := make(chan error, 1)
	go func() { ended <- group.Wait(ctx) }()
	select {
	case err := <-failed:
		if ctx.Err() != nil {
			return nil
		}
		return err
	case err := <-ended:
		return err
	}
}

// notifyReady tells systemd, if it asked, that the node stands.
func notifyReady() {
	log.Print("k3s is up and running")
	socket := os.Getenv("NOTIFY_SOCKET")
	if socket == "" {
		return
	}
	connection, err := net.Dial("unixgram", socket)
	if err != nil {
		log.Printf("systemd: %v", err)
		return
	}
	defer connection.Close()
	_, _ = connection.Write([]byte("READY=1"))
}

// tool becomes one of the programs that are carried along.
func tool(name string, arguments []string) error {
	carried, err := payload.Read()
	if err != nil {
		return err
	}
	dataDir := os.Getenv("K3S_DATA_DIR")
	if dataDir == "" {
		dataDir = options.DataDir
	}
	bin := filepath.Join(dataDir, "data", carried.Digest, "bin")
	if _, err := os.Stat(bin); err != nil && os.Geteuid() == 0 {
		if bin, err = carried.Unpack(dataDir); err != nil {
			return err
		}
	}
	for variable, value := range map[string]string{
		"KUBECONFIG": "/etc/rancher/k3s/k3s.yaml", "CONTAINERD_NAMESPACE": "k8s.io",
		"CONTAINERD_ADDRESS": "/run/k3s/containerd/containerd.sock",
	} {
		if os.Getenv(variable) == "" {
			os.Setenv(variable, value)
		}
	}
	program := filepath.Join(bin, name)
	return fmt.Errorf("%s: %w", program, syscall.Exec(program, append([]string{name}, arguments...), os.Environ()))
}
