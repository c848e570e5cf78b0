// Package connector holds a tunnel to the lab's edge open and answers what comes through it.
package connector

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"coldstorage.local/lab/standins/internal/tunnel"
)

const (
	firstPause   = time.Second
	longestPause = 32 * time.Second
	dialTime     = 10 * time.Second
	// aliveWithin is when a silent edge is asked whether it is there, and when it is given up.
	aliveWithin = 5 * time.Second
)

// Connector is one process that serves a tunnel.
type Connector struct {
	ID          string
	Edge        string
	Credentials tunnel.Credentials
	Connections int
	Grace       time.Duration
	Metrics     *Metrics
	// Hung is a fault to rehearse: it stays connected and ready, and answers nothing.
	Hung atomic.Bool
}

// Run keeps all connections open until the context ends; then it finishes what is under way.
func (c *Connector) Run(ended context.Context) {
	var all sync.WaitGroup
	for index := range c.Connections {
		all.Go(func() { c.keepOpen(ended, index) })
	}
	all.Wait()
}

func (c *Connector) keepOpen(ended context.Context, index int) {
	pause := firstPause
	for ended.Err() == nil {
		connected, err := c.once(ended, index)
		if ended.Err() != nil {
			return
		}
		if connected {
			pause = firstPause
		}
		slog.Error("Serve tunnel error", "connIndex", index, "error", err, "retryIn", pause.String())
		select {
		case <-ended.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
}

// once opens one connection and serves it until it breaks; it tells whether it was open.
func (c *Connector) once(ended context.Context, index int) (bool, error) {
	conn, err := c.dial(ended)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	location, err := tunnel.Greet(conn, tunnel.Hello{
		Credentials: c.Credentials, Connector: c.ID, Index: index,
	})
	if err != nil {
		return false, err
	}
	c.Metrics.opened(index, location)
	defer c.Metrics.closed(index)
	slog.Info("Registered tunnel connection", "connIndex", index, "connection", c.ID,
		"location", location, "protocol", tunnel.Protocol)
	return true, c.serve(ended, conn)
}

func (c *Connector) dial(ended context.Context) (net.Conn, error) {
	host, _, err := net.SplitHostPort(c.Edge)
	if err != nil {
		return nil, fmt.Errorf("LAB_EDGE: %w", err)
	}
	dialer := tls.Dialer{
		NetDialer: &net.Dialer{Timeout: dialTime},
		Config: &tls.Config{
			ServerName: host, NextProtos: []string{tunnel.Protocol}, MinVersion: tls.VersionTLS13,
		},
	}
	conn, err := dialer.DialContext(ended, "tcp", c.Edge)
	if err != nil {
		return nil, fmt.Errorf("unable to reach the edge: %w", err)
	}
	return conn, nil
}

// serve answers over a connection until it breaks or, finishing what is under way, until the end.
func (c *Connector) serve(ended context.Context, conn net.Conn) error {
	only := &onlyOne{conn: conn, gone: make(chan struct{})}
	server := &http.Server{
		Handler:   c.Metrics.counted(c.unlessHung(&origins{})),
		Protocols: new(http.Protocols),
		HTTP2:     &http.HTTP2Config{SendPingTimeout: aliveWithin, PingTimeout: aliveWithin},
		ErrorLog:  slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				_ = only.Close()
			}
		},
	}
	server.Protocols.SetUnencryptedHTTP2(true)
	finished := make(chan struct{})
	stop := context.AfterFunc(ended, func() {
		defer close(finished)
		limit, done := context.WithTimeout(context.Background(), c.Grace)
		defer done()
		_ = server.Shutdown(limit)
	})
	err := server.Serve(only)
	if !stop() {
		<-finished
	}
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return errors.New("the connection to the edge is closed")
	}
	return err
}

func (c *Connector) unlessHung(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.Hung.Load() {
			<-r.Context().Done()
			return
		}
		next.ServeHTTP(w, r)
	})
}

// onlyOne is a listener with one connection, which somebody else dialled.
type onlyOne struct {
	conn  net.Conn
	given sync.Once
	ended sync.Once
	gone  chan struct{}
}

func (l *onlyOne) Accept() (net.Conn, error) {
	var conn net.Conn
	// Its TLS is done with; the server is to see a plain connection.
	l.given.Do(func() { conn = struct{ net.Conn }{l.conn} })
	if conn != nil {
		return conn, nil
	}
	<-l.gone
	return nil, net.ErrClosed
}

func (l *onlyOne) Close() error {
	l.ended.Do(func() { close(l.gone) })
	return nil
}

func (l *onlyOne) Addr() net.Addr { return l.conn.LocalAddr() }
