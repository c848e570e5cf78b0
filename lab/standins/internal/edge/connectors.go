package edge

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"coldstorage.local/lab/standins/internal/tunnel"
)

// A connector that says nothing for so long is asked whether it is alive, and then dropped.
const aliveWithin = 2 * time.Second

// largestReplay is how much of a body is kept, to send it to another connector.
const largestReplay = 1 << 20

var errNoConnector = errors.New("no connector of the tunnel is connected")

// Connection is one connection of a connector.
type Connection struct {
	Connector string    `json:"connector"`
	Index     int       `json:"index"`
	Address   string    `json:"address"`
	Since     time.Time `json:"since"`

	client *http.ClientConn
}

// Connectors are the connections that are open, by tunnel.
type Connectors struct {
	mutex  sync.Mutex
	open   map[string][]*Connection
	served int
}

// Serve takes a connection that a connector dialled, until it breaks.
func (c *Connectors) Serve(conn *tls.Conn, watcher *Watcher) {
	defer conn.Close()
	hello, err := tunnel.Receive(conn, "lab01", func(hello tunnel.Hello) error {
		return admit(watcher, hello)
	})
	if err != nil {
		slog.Warn("a connector was turned away", "from", conn.RemoteAddr().String(), "error", err)
		return
	}
	client, err := reversed(conn)
	if err != nil {
		slog.Warn("a connector was lost at once", "error", err)
		return
	}
	connection := &Connection{
		Connector: hello.Connector, Index: hello.Index, Address: conn.RemoteAddr().String(),
		Since: time.Now(), client: client,
	}
	id := hello.Credentials.Tunnel
	closed := make(chan struct{})
	over := sync.OnceFunc(func() { close(closed) })
	client.SetStateHook(func(client *http.ClientConn) {
		if client.Err() != nil {
			over()
		}
	})
	c.add(id, connection)
	slog.Info("connector connected", "tunnel", id, "connector", hello.Connector, "index", hello.Index)
	if client.Err() == nil {
		<-closed
	}
	c.drop(id, connection)
	slog.Info("connector gone", "tunnel", id, "connector", hello.Connector, "index", hello.Index)
}

func admit(watcher *Watcher, hello tunnel.Hello) error {
	world, err := watcher.World()
	if err != nil {
		return err
	}
	known, is := world.tunnels[hello.Credentials.Tunnel]
	if is && !sameSecret(known.Secret, hello.Credentials.Secret) {
		is = false
	}
	if !is {
		return errors.New("Unauthorized: Invalid tunnel secret")
	}
	return nil
}

func sameSecret(known, shown string) bool {
	a, errA := base64.StdEncoding.DecodeString(known)
	b, errB := base64.StdEncoding.DecodeString(shown)
	return errA == nil && errB == nil && string(a) == string(b) && len(a) > 0
}

// reversed makes the one who was dialled the one who asks.
func reversed(conn net.Conn) (*http.ClientConn, error) {
	transport := &http.Transport{
		DisableCompression: true,
		HTTP2:              &http.HTTP2Config{SendPingTimeout: aliveWithin, PingTimeout: aliveWithin},
		Protocols:          new(http.Protocols),
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			return struct{ net.Conn }{conn}, nil
		},
	}
	transport.Protocols.SetUnencryptedHTTP2(true)
	return transport.NewClientConn(context.Background(), "http", "connector:80")
}

func (c *Connectors) add(id string, connection *Connection) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.open == nil {
		c.open = map[string][]*Connection{}
	}
	c.open[id] = append(c.open[id], connection)
}

func (c *Connectors) drop(id string, connection *Connection) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.open[id] = slices.DeleteFunc(c.open[id], func(other *Connection) bool {
		return other == connection
	})
}

// Of returns the open connections of a tunnel, each time beginning with the next one.
func (c *Connectors) Of(id string) []*Connection {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	open := c.open[id]
	if len(open) == 0 {
		return nil
	}
	c.served++
	first := c.served % len(open)
	return append(slices.Clone(open[first:]), open[:first]...)
}

// All returns every open connection.
func (c *Connectors) All() map[string][]*Connection {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	all := map[string][]*Connection{}
	for id, open := range c.open {
		all[id] = slices.Clone(open)
	}
	return all
}

// through sends requests through a tunnel.
type through struct {
	connectors *Connectors
	tunnel     string
}

// RoundTrip asks one connector; where it breaks and asking again is safe, the next one.
func (t through) RoundTrip(request *http.Request) (*http.Response, error) {
	again, err := replayable(request)
	if err != nil {
		return nil, err
	}
	failed := errNoConnector
	for _, connection := range t.connectors.Of(t.tunnel) {
		if connection.client.Err() != nil || connection.client.Available() == 0 {
			continue
		}
		attempt := request.Clone(request.Context())
		if request.GetBody != nil {
			attempt.Body, _ = request.GetBody()
		}
		response, err := connection.client.RoundTrip(attempt)
		if err == nil || request.Context().Err() != nil {
			return response, err
		}
		failed = fmt.Errorf("connector %s: %w", connection.Connector, err)
		if !kept(request) || !again && !neverSeen(err) {
			return nil, failed
		}
	}
	return nil, failed
}

// replayable keeps a small body, and tells whether the request may be asked twice.
func replayable(request *http.Request) (bool, error) {
	if request.Body == nil || request.Body == http.NoBody || request.ContentLength == 0 {
		request.Body = http.NoBody
	} else if 0 < request.ContentLength && request.ContentLength <= largestReplay {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return false, err
		}
		request.GetBody = func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(string(body))), nil
		}
	} else {
		return false, nil
	}
	safe := []string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace}
	return slices.Contains(safe, request.Method), nil
}

// kept tells whether there is a body to send again.
func kept(request *http.Request) bool {
	return request.Body == http.NoBody || request.GetBody != nil
}

// neverSeen tells whether a connector said that it did not begin with the request. Go exports no
// error for it.
func neverSeen(err error) bool {
	text := err.Error()
	return strings.Contains(text, "graceful shutdown GOAWAY") ||
		strings.Contains(text, "REFUSED_STREAM") || strings.Contains(text, "conn not usable")
}

// Close ends all connections; their connectors come again.
func (c *Connectors) Close() {
	for _, open := range c.All() {
		for _, connection := range open {
			_ = connection.client.Close()
		}
	}
}
