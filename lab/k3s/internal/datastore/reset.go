package datastore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"coldstorage.local/lab/k3s/internal/pki"
)

// Reset makes this server the only member, with the content it has or that of a snapshot.
func (s *Snapshots) Reset(ctx context.Context, token, from string) error {
	d := s.store
	flag := d.Path("reset-flag")
	if _, err := os.Stat(flag); err == nil {
		return fmt.Errorf("Managed etcd cluster membership was already reset, please remove the "+
			"cluster-reset flag and start k3s normally. If you need to perform another cluster reset, "+
			"you must first manually delete the file at %s", flag)
	}
	if from == "" && !d.Exists() {
		return fmt.Errorf("%s: no etcd here to reset; expected a snapshot "+
			"(--cluster-reset-restore-path)", d.Path("etcd"))
	}
	extra := []string{"--force-new-cluster=true"}
	if from != "" {
		if err := s.restore(ctx, from); err != nil {
			return err
		}
		extra = nil
	}
	if err := d.withTemporaryAuthorities(func() error { return d.bootOnce(ctx, token, extra) }); err != nil {
		return err
	}
	return pki.Write(flag, nil, 0o600)
}

// Restarted forgets that there was a reset.
func (d *Datastore) Restarted() error {
	err := os.Remove(d.Path("reset-flag"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func (s *Snapshots) restore(ctx context.Context, from string) error {
	d := s.store
	file := from
	if s.s3 != nil {
		file = filepath.Join(s.dir, filepath.Base(from))
		if err := os.MkdirAll(s.dir, 0o700); err != nil {
			return err
		}
		if err := s.s3.download(ctx, filepath.Base(from), file); err != nil {
			return err
		}
	} else if !filepath.IsAbs(from) {
		file = filepath.Join(s.dir, from)
	}
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("etcd: snapshot path does not exist: %s", file)
	}
	name, err := d.Name()
	if err != nil {
		return err
	}
	restored := d.Path("etcd-restored")
	if err := os.RemoveAll(restored); err != nil {
		return err
	}
	// What is in the way is kept until the snapshot has proven good.
	if _, err := d.Children.Output(ctx, nil, "etcdutl", "snapshot", "restore", file, "--data-dir="+restored,
		"--name="+name, "--initial-advertise-peer-urls="+d.peerURL(),
		"--initial-cluster="+name+"="+d.peerURL()); err != nil {
		return fmt.Errorf("snapshot %s: %w", file, err)
	}
	old := d.Path(fmt.Sprintf("etcd-old-%d", time.Now().Unix()))
	if err := os.Rename(d.Path("etcd"), old); err != nil {
		return err
	}
	if err := os.Rename(restored, d.Path("etcd")); err != nil {
		return err
	}
	return pki.Write(d.Path("etcd/name"), []byte(name), 0o600)
}

// withTemporaryAuthorities lets etcd run where its own authorities are still to be read from it.
func (d *Datastore) withTemporaryAuthorities(run func() error) error {
	tls := filepath.Join(d.ServerDir, "tls")
	_, err := os.Stat(filepath.Join(tls, "etcd/server-ca.crt"))
	missing := os.IsNotExist(err)
	cluster, err := pki.LoadCluster(tls)
	if err != nil {
		return err
	}
	if err := cluster.IssueAll(nil, EtcdNames(d.Address)); err != nil {
		return err
	}
	err = run()
	if missing && err != nil {
		return errors.Join(err, os.RemoveAll(tls))
	}
	return err
}

// bootOnce starts etcd, writes what the cluster says that servers must have, and stops it.
func (d *Datastore) bootOnce(ctx context.Context, token string, extra []string) error {
	if err := d.Start(nil, "new", extra...); err != nil {
		return err
	}
	defer d.Children.Stop("etcd")
	if err := d.WaitReady(ctx); err != nil {
		return err
	}
	client, err := d.Client()
	if err != nil {
		return err
	}
	defer client.Close()
	shared, err := FetchShared(ctx, client, token)
	if err != nil {
		return err
	}
	return shared.WriteTo(d.ServerDir)
}

// EtcdNames are what the certificates of a member must hold for.
func EtcdNames(address string) []string {
	return strings.Fields("localhost 127.0.0.1 " + address)
}
