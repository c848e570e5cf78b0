// Command k3s is a STAND-IN for K3s, for a lab that cannot download it: K3s's words, files and ports
// before upstream Kubernetes. What it does not cover it refuses; see help.
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"coldstorage.local/lab/k3s/internal/payload"
)

const standIn = "STAND-IN: upstream Kubernetes, not K3s"

const help = `k3s (` + standIn + `)

Commands
  server          run a server (etcd, control plane, node); --cluster-reset as well
  agent           run a node
  kubectl, ctr    run kubectl or ctr
  etcd-snapshot   save, list, delete, prune
  token           list, create, rotate
  certificate     check, rotate
  secrets-encrypt status
  check-config    say what this machine lacks

Options have K3s's names, as flags, in the environment (K3S_TOKEN, K3S_URL, ...) or in
/etc/rancher/k3s/config.yaml and its .d folder. An option that is not covered is an error.
Not covered: Traefik, servicelb, metrics-server, local-storage, SQLite and other databases, HelmChart objects.
`

func main() {
	log.SetFlags(0)
	if err := run(filepath.Base(os.Args[0]), os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "k3s (stand-in): error: %v\n", err)
		os.Exit(1)
	}
}

func run(name string, arguments []string) error {
	if slices.Contains([]string{"kubectl", "ctr", "crictl"}, name) {
		return tool(name, arguments)
	}
	if len(arguments) == 0 {
		fmt.Print(help)
		return nil
	}
	command, rest := arguments[0], arguments[1:]
	switch command {
	case "help", "--help", "-h":
		fmt.Print(help)
		return nil
	case "--version", "-v":
		return version()
	case "kubectl", "ctr", "crictl":
		return tool(command, rest)
	}
	commands := map[string]func([]string) error{
		"server": server, "agent": agent, "etcd-snapshot": etcdSnapshot, "token": tokens,
		"certificate": certificate, "secrets-encrypt": secretsEncrypt, "check-config": checkConfig,
	}
	if run, ok := commands[command]; ok {
		return run(rest)
	}
	return fmt.Errorf("unknown command %s; see k3s help", command)
}

func version() error {
	carried, err := payload.Read()
	if err != nil {
		return err
	}
	fmt.Printf("k3s version %s (%s)\ngo version %s\n", carried.Version, standIn, runtime.Version())
	for _, name := range slices.Sorted(keys(carried.Made)) {
		fmt.Printf("  %s %s\n", name, carried.Made[name])
	}
	return nil
}
