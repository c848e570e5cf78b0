package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"coldstorage.local/lab/k3s/internal/controlplane"
	"coldstorage.local/lab/k3s/internal/datastore"
	"coldstorage.local/lab/k3s/internal/node"
	"coldstorage.local/lab/k3s/internal/options"
	"coldstorage.local/lab/k3s/internal/token"
)

func etcdSnapshot(arguments []string) error {
	action := "save"
	if len(arguments) > 0 && !strings.HasPrefix(arguments[0], "-") {
		action, arguments = arguments[0], arguments[1:]
	}
	o, err := options.Load("etcd-snapshot", arguments)
	if err != nil {
		return err
	}
	name := o.Text("node-name")
	if name == "" {
		if name, err = os.Hostname(); err != nil {
			return err
		}
	}
	store := &datastore.Datastore{ServerDir: filepath.Join(o.Text("data-dir"), "server"), NodeName: name}
	snapshots, err := datastore.OfOptions(store, o)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(whileWanted(), 10*time.Minute)
	defer cancel()
	switch action {
	case "save":
		prefix := o.Text("etcd-snapshot-name")
		if len(o.List("etcd-snapshot-name")) == 0 {
			prefix = "on-demand"
		}
		made, err := snapshots.Save(ctx, prefix)
		if err != nil {
			return err
		}
		fmt.Printf("Snapshot %s saved.\n", made.Name)
		return nil
	case "ls", "list":
		return listSnapshots(ctx, snapshots)
	case "delete":
		return snapshots.Delete(ctx, o.Rest...)
	case "prune":
		keep, err := strconv.Atoi(o.Text("etcd-snapshot-retention"))
		if err != nil {
			return fmt.Errorf("option snapshot-retention: %w", err)
		}
		removed, err := snapshots.Prune(ctx, o.Text("etcd-snapshot-name"), keep)
		for _, name := range removed {
			fmt.Printf("Snapshot %s deleted.\n", name)
		}
		return err
	}
	return fmt.Errorf("etcd-snapshot: expected save, list, delete or prune, got %s", action)
}

func listSnapshots(ctx context.Context, snapshots *datastore.Snapshots) error {
	all, err := snapshots.List(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "Name\tLocation\tSize\tCreated")
	for _, s := range all {
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\n", s.Name, s.Location, s.Size, s.Created.Format(time.RFC3339))
	}
	return table.Flush()
}

func tokens(arguments []string) error {
	if len(arguments) == 0 {
		return errors.New("token: expected list, create or rotate")
	}
	action, rest := arguments[0], arguments[1:]
	if action == "create" || action == "list" {
		return errors.New("token " + action + ": tokens that expire are not covered by this stand-in; " +
			"use server/token, agent-token or token rotate")
	}
	if action != "rotate" {
		return fmt.Errorf("token: expected list, create or rotate, got %s", action)
	}
	fresh := ""
	var others []string
	for i := 0; i < len(rest); i++ {
		if name, value, given := strings.Cut(rest[i], "="); name == "--new-token" {
			if !given && i+1 < len(rest) {
				i++
				value = rest[i]
			}
			fresh = value
			continue
		}
		others = append(others, rest[i])
	}
	if fresh == "" {
		fresh = token.Random()
	}
	o, err := options.Load("server", others)
	if err != nil {
		return err
	}
	return rotate(o, fresh)
}

func rotate(o *options.Options, fresh string) error {
	password, err := controlplane.Password(o)
	if err != nil {
		return err
	}
	_, address, err := node.Identity(o)
	if err != nil {
		return err
	}
	url := "https://" + address + ":" + o.Text("https-listen-port")
	client, err := node.Introduce(whileWanted(), url, token.Token{User: token.Server, Password: password})
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{"newToken": fresh})
	if err != nil {
		return err
	}
	if _, err := client.Do(whileWanted(), http.MethodPut, "/v1-k3s/token", body); err != nil {
		return err
	}
	fmt.Println("Token rotated, restart the other servers with the new token (server/token has it)")
	return nil
}

func certificate(arguments []string) error {
	if len(arguments) == 0 {
		return errors.New("certificate: expected check or rotate")
	}
	o, err := options.Load("server", arguments[1:])
	if err != nil {
		return err
	}
	var files []string
	for _, pattern := range []string{"server/tls/*.crt", "server/tls/etcd/*.crt", "agent/*.crt"} {
		found, err := filepath.Glob(filepath.Join(o.Text("data-dir"), pattern))
		if err != nil {
			return err
		}
		files = append(files, found...)
	}
	switch arguments[0] {
	case "check":
		return checkCertificates(files)
	case "rotate":
		for _, file := range files {
			if !strings.HasSuffix(file, "-ca.crt") {
				if err := os.Remove(file); err != nil {
					return err
				}
			}
		}
		fmt.Println("Certificates will be made anew at the next start, please restart k3s")
		return nil
	}
	return fmt.Errorf("certificate: expected check or rotate, got %s", arguments[0])
}

func checkCertificates(files []string) error {
	table := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "FILENAME\tSUBJECT\tEXPIRES\tSTATUS")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		block, _ := pem.Decode(text)
		if block == nil {
			return fmt.Errorf("%s: expected a certificate in PEM", file)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		status := "OK"
		if time.Now().After(certificate.NotAfter) {
			status = "EXPIRED"
		} else if time.Until(certificate.NotAfter) < 120*24*time.Hour {
			status = "WARNING: renewed at the next start"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", filepath.Base(file), certificate.Subject.CommonName,
			certificate.NotAfter.Format(time.RFC3339), status)
	}
	return table.Flush()
}

func secretsEncrypt(arguments []string) error {
	if len(arguments) == 0 || arguments[0] != "status" {
		return errors.New("secrets-encrypt: this stand-in covers status only")
	}
	o, err := options.Load("server", arguments[1:])
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(o.Text("data-dir"), "server/cred/encryption-config.json"))
	if err == nil && bytes.Contains(text, []byte("aescbc")) {
		fmt.Println("Encryption Status: Enabled\nCurrent Rotation Stage: start")
		return nil
	}
	fmt.Println("Encryption Status: Disabled, no configuration file found")
	return nil
}

func checkConfig([]string) error {
	var faults []error
	for place, what := range map[string]string{
		"/sys/fs/cgroup":                "control groups",
		"/proc/sys/net/bridge":          "kernel module br_netfilter",
		"/sys/fs/cgroup/memory":         "control group memory",
		"/proc/sys/net/ipv4/ip_forward": "IPv4",
	} {
		_, err := os.Stat(place)
		if err != nil && place == "/sys/fs/cgroup/memory" {
			_, err = os.Stat("/sys/fs/cgroup/cgroup.controllers")
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: missing (%s)", what, place))
		} else {
			fmt.Printf("- %s: OK\n", what)
		}
	}
	if swaps, err := os.ReadFile("/proc/swaps"); err == nil && bytes.Count(swaps, []byte("\n")) > 1 {
		fmt.Println("- swap: should be disabled")
	}
	return errors.Join(faults...)
}
