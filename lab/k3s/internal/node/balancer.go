package node

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"coldstorage.local/lab/k3s/internal/api"
	"coldstorage.local/lab/k3s/internal/pki"
)

const (
	dialTimeout   = 2 * time.Second
	followSeconds = 10
)

// balancer is an agent's own way to whichever server lives.
type balancer struct {
	file    string
	mutex   sync.Mutex
	state   balancerState
	current string
}

// balancerState has K3s's names.
type balancerState struct {
	ServerURL       string
	ServerAddresses []string
}

func newBalancer(file, first string) (*balancer, error) {
	b := &balancer{file: file, state: balancerState{ServerURL: first, ServerAddresses: []string{first}}}
	content, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return b, nil
	}
	if err != nil {
		return nil, err
	}
	var kept balancerState
	if err := json.Unmarshal(content, &kept); err != nil {
		return nil, err
	}
	if kept.ServerURL == first { // else the node was told of another cluster
		b.state = kept
	}
	return b, nil
}

func (b *balancer) serve(ctx context.Context, address string) error {
	listener, err := net.Listen("tcp4", address)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go b.carry(client)
		}
	}()
	return nil
}

func (b *balancer) carry(client net.Conn) {
	defer client.Close()
	server, err := b.dial()
	if err != nil {
		log.Printf("No server answers: %v", err)
		return
	}
	defer server.Close()
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			done <- struct{}{}
		}()
	}
	<-done
}

// dial tries the server that answered last, then the others.
func (b *balancer) dial() (net.Conn, error) {
	b.mutex.Lock()
	order := append([]string{b.current}, b.state.ServerAddresses...)
	order = append(order, b.state.ServerURL)
	b.mutex.Unlock()
	var last error
	for i, address := range order {
		if address == "" || slices.Contains(order[:i], address) {
			continue
		}
		server, err := (&net.Dialer{Timeout: dialTimeout, KeepAlive: 5 * time.Second}).Dial("tcp", address)
		if err == nil {
			setUserTimeout(server)
			b.mutex.Lock()
			b.current = address
			b.mutex.Unlock()
			return server, nil
		}
		last = err
	}
	return nil, last
}

// follow keeps the list of servers as the cluster says it is.
func (b *balancer) follow(ctx context.Context, client *api.Client) {
	for {
		var servers []string
		if err := client.Get(ctx, "/v1-k3s/apiservers", &servers); err == nil && len(servers) > 0 {
			b.learn(servers)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(followSeconds * time.Second):
		}
	}
}

func (b *balancer) learn(servers []string) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	slices.Sort(servers)
	if slices.Equal(servers, b.state.ServerAddresses) {
		return
	}
	log.Printf("Servers are now %v", servers)
	b.state.ServerAddresses = servers
	content, err := json.Marshal(b.state)
	if err == nil {
		err = pki.Write(b.file, content, 0o600)
	}
	if err != nil {
		log.Printf("%s: %v", b.file, err)
	}
}
