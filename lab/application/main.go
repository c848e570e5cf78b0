// STAND-IN for the company's backend in the lab: small, but it uses the database and the cache as
// the real one does. It serves one portal: cold-backend employee|customer.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	usage = "cold-backend (STAND-IN of the lab): cold-backend employee|customer; settings are in" +
		" the environment, see settings.go"
	// How long requests still come after Kubernetes decided that none should.
	drain = 5 * time.Second
	// How long a request under way may take then.
	patience = 15 * time.Second
)

// version is set by the build.
var version = "0.0.0"

func main() {
	if len(os.Args) != 2 || ports[os.Args[1]] == "" {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil)).With("portal", os.Args[1])
	slog.SetDefault(log)
	if err := run(os.Args[1]); err != nil {
		log.Error("ended", "error", err.Error())
		os.Exit(1)
	}
}

func run(portal string) error {
	slog.Info("STAND-IN for the company's backend", "version", version)
	wanted, err := settingsOf(os.Getenv)
	if err != nil {
		return err
	}
	told, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	data, err := open(told, wanted)
	if err != nil {
		return err
	}
	defer data.close()
	made := newPortal(portal, data)
	go made.becomeReady(told)
	server := &http.Server{
		Addr: ports[portal], Handler: made.handler(), ReadHeaderTimeout: 5 * time.Second,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	select {
	case err := <-ended:
		return err
	case <-told.Done():
	}
	// Others learn only by and by that this one ends: it goes on answering meanwhile.
	made.ready.Store(false)
	time.Sleep(drain)
	last, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := server.Shutdown(last); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
