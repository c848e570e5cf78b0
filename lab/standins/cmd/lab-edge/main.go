// Command lab-edge is a STAND-IN for Cloudflare's edge, for the lab.
package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"coldstorage.local/lab/standins/internal/edge"
)

// version is set by the linker.
var version = "0.0.0-dev"

const shutdownTime = 5 * time.Second

func main() {
	listen := flag.String("listen", "127.0.0.1:443", "where visitors and connectors come to")
	certificate := flag.String("certificate", "", "PEM file: key and chain for all hosts of the zone")
	records := flag.String("records", "", "file in which the lab's Cloudflare keeps its records")
	names := flag.String("names", "", "where names are looked up (UDP), HOST:PORT; nowhere if absent")
	key := flag.String("key", "", "PEM file with the key that signs identities; made if absent")
	shown := flag.Bool("version", false, "print the version")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "lab-edge: a STAND-IN for Cloudflare's edge, for the lab")
		flag.PrintDefaults()
	}
	flag.Parse()
	if *shown {
		fmt.Println("lab-edge", version, "(STAND-IN for Cloudflare's edge)")
		return
	}
	if err := run(*listen, *names, *certificate, *records, *key); err != nil {
		fmt.Fprintln(os.Stderr, "lab-edge:", err)
		os.Exit(1)
	}
}

func run(listen, names, certificate, records, key string) error {
	pair, err := tls.LoadX509KeyPair(certificate, certificate)
	if err != nil {
		return fmt.Errorf("--certificate: %w", err)
	}
	signing, err := signingKey(key)
	if err != nil {
		return fmt.Errorf("--key: %w", err)
	}
	watcher := edge.Watch(records)
	if _, err := watcher.World(); err != nil {
		return fmt.Errorf("--records: %w", err)
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	if err := answer(names, listener.Addr(), watcher); err != nil {
		return fmt.Errorf("--names: %w", err)
	}
	server := (&edge.Edge{
		Watcher: watcher, Connectors: &edge.Connectors{}, Key: signing,
	}).Server(pair)
	ended, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ended.Done()
		limit, done := context.WithTimeout(context.Background(), shutdownTime)
		defer done()
		_ = server.Shutdown(limit)
	}()
	slog.Info("STAND-IN for Cloudflare's edge: it listens", "at", listener.Addr().String())
	if err := server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// answer has names looked up, each of which is where the edge itself listens.
func answer(names string, listens net.Addr, watcher *edge.Watcher) error {
	if names == "" {
		return nil
	}
	own, err := netip.ParseAddrPort(listens.String())
	if err != nil {
		return err
	}
	conn, err := net.ListenPacket("udp", names)
	if err != nil {
		return err
	}
	go func() {
		slog.Error("names are no longer answered", "error", watcher.Names(conn, own.Addr().Unmap()))
	}()
	return nil
}

// signingKey returns the key of the last run, so that who is logged in stays so.
func signingKey(file string) (*rsa.PrivateKey, error) {
	if text, err := os.ReadFile(file); err == nil {
		block, _ := pem.Decode(text)
		if block == nil {
			return nil, fmt.Errorf("%s: no PEM", file)
		}
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	}
	made, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(made)}
	return made, os.WriteFile(file, pem.EncodeToMemory(block), 0o600)
}
