// Command cloudflared is a STAND-IN for Cloudflare's connector: it holds tunnels to the lab's edge
// open, and to nothing else. Flags, variables and pages are those of the real one.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"coldstorage.local/lab/standins/internal/connector"
)

// version is set by the linker.
var version = "0.0.0-dev"

const banner = "STAND-IN for cloudflared: it connects to the lab's edge alone"

func main() {
	options, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, errHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "cloudflared (STAND-IN):", err)
		os.Exit(1)
	case options.command == "version":
		fmt.Printf("cloudflared version %s (STAND-IN of the lab, not Cloudflare's)\n", version)
		return
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: options.level})))
	if options.command == "ready" {
		err = ready(options.metrics)
	} else {
		err = run(options)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cloudflared (STAND-IN):", err)
		os.Exit(1)
	}
}

func run(o options) error {
	ended, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	slog.Warn(banner)
	id := rand.Text()
	metrics := &connector.Metrics{Connector: id, Version: version}
	listener, err := listen(o.metrics)
	if err != nil {
		return fmt.Errorf("--metrics: %w", err)
	}
	slog.Info("Starting metrics server", "on", listener.Addr().String()+"/metrics")
	pages := &http.Server{Handler: metrics}
	go func() { _ = pages.Serve(listener) }()
	defer pages.Close()

	slog.Info("Starting tunnel", "tunnelID", o.credentials.Tunnel, "connectorID", id, "edge", o.edge)
	held := &connector.Connector{
		ID: id, Edge: o.edge, Credentials: o.credentials, Connections: o.connections,
		Grace: o.grace, Metrics: metrics,
	}
	go hangWhenAsked(held)
	held.Run(ended)
	slog.Info("Tunnel server stopped")
	return nil
}

// hangWhenAsked rehearses what the real one was seen to do: it stays connected and answers nothing.
func hangWhenAsked(held *connector.Connector) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	for range asked {
		held.Hung.Store(!held.Hung.Load())
		slog.Warn("STAND-IN: SIGUSR1", "answers", !held.Hung.Load())
	}
}

// listen opens the place that was asked for, or else the first free one of the usual.
func listen(address string) (net.Listener, error) {
	if address != "" {
		return net.Listen("tcp", address)
	}
	for port := 20241; port <= 20245; port++ {
		if listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return listener, nil
		}
	}
	return net.Listen("tcp", "127.0.0.1:0")
}

// ready asks a running connector whether it is connected, as a health check does.
func ready(address string) error {
	if address == "" {
		return errors.New("ready: --metrics must be given")
	}
	response, err := http.Get("http://" + address + "/ready")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s", response.Status)
	}
	return nil
}
