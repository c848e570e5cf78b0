// Package supervisor answers on a server's port 6443: nodes that join, and the Kubernetes API behind it.
package supervisor

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"

	"coldstorage.local/lab/k3s/internal/api"
	"coldstorage.local/lab/k3s/internal/datastore"
	"coldstorage.local/lab/k3s/internal/pki"
	"coldstorage.local/lab/k3s/internal/token"
	"golang.org/x/sys/unix"
)

// Supervisor is one server's answering machine.
type Supervisor struct {
	Cluster   *pki.Cluster
	ServerDir string
	Store     *datastore.Datastore
	API       *api.Client
	// Settings are what every node must know.
	Settings Settings

	mutex     sync.RWMutex
	passwords map[string]string // by user
	ready     bool
}

// Settings of the cluster that its nodes follow.
type Settings struct {
	ClusterCIDR          string `json:"clusterCIDR"`
	ClusterDNS           string `json:"clusterDNS"`
	ClusterDomain        string `json:"clusterDomain"`
	ServiceCIDR          string `json:"serviceCIDR"`
	NodePorts            string `json:"nodePorts"`
	FlannelBackend       string `json:"flannelBackend"`
	DisableKubeProxy     bool   `json:"disableKubeProxy"`
	DisableNetworkPolicy bool   `json:"disableNetworkPolicy"`
	Port                 string `json:"port"`
	Version              string `json:"version"`
}

// SetPasswords says who may join as what.
func (s *Supervisor) SetPasswords(server, agent string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.passwords = map[string]string{token.Server: server, token.Node: agent}
}

// Ready lets requests for the Kubernetes API through.
func (s *Supervisor) Ready() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.ready = true
}

// Serve answers until the context ends.
func (s *Supervisor) Serve(ctx context.Context, port string) error {
	pair, err := tls.LoadX509KeyPair(
		s.Cluster.Path("serving-kube-apiserver.crt"), s.Cluster.Path("serving-kube-apiserver.key"))
	if err != nil {
		return err
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(s.Cluster.Client.PEM)
	proxy, err := newProxy(s, port, clients)
	if err != nil {
		return err
	}
	// The API server has 127.0.0.1 on the same port; the kernel prefers the exact address.
	listening := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		return errors.Join(raw.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		}), err)
	}}
	listener, err := listening.Listen(ctx, "tcp4", "0.0.0.0:"+port)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: s.routes(proxy),
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12,
		},
		ErrorLog: log.New(io.Discard, "", 0), // who only looks whether the port is open is no fault
	}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() {
		if err := server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
			log.Fatalf("port %s: %v", port, err)
		}
	}()
	return nil
}

func (s *Supervisor) routes(proxy http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", proxy)
	mux.HandleFunc("GET /ping", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "pong") })
	mux.HandleFunc("GET /cacerts", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(s.Cluster.Server.PEM) })
	node, server := []string{token.Node, token.Server}, []string{token.Server}
	for pattern, route := range map[string]struct {
		users  []string
		handle func(*http.Request) (any, error)
	}{
		"GET /v1-k3s/config":                     {node, s.config},
		"GET /v1-k3s/client-ca.crt":              {node, s.clientCA},
		"GET /v1-k3s/apiservers":                 {node, s.servers},
		"POST /v1-k3s/serving-kubelet.crt":       {node, s.servingKubelet},
		"POST /v1-k3s/client-kubelet.crt":        {node, s.clientKubelet},
		"POST /v1-k3s/client-kube-proxy.crt":     {node, s.clientOf("system:kube-proxy")},
		"POST /v1-k3s/client-k3s-controller.crt": {node, s.clientOf("system:k3s-controller")},
		"GET /v1-k3s/server-bootstrap":           {server, s.bootstrap},
		"GET /db/info":                           {server, s.members},
		"PUT /v1-k3s/token":                      {server, s.rotateToken},
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if !s.allowed(r, route.users) {
				http.Error(w, "token: not one of this cluster's, or not for this", http.StatusUnauthorized)
				return
			}
			answer(w, r, route.handle)
		})
	}
	return mux
}

func (s *Supervisor) allowed(r *http.Request, users []string) bool {
	user, password, _ := r.BasicAuth()
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	wanted := s.passwords[user]
	right := wanted != "" && subtle.ConstantTimeCompare([]byte(wanted), []byte(password)) == 1
	for _, allowed := range users {
		if right && user == allowed {
			return true
		}
	}
	return false
}

func answer(w http.ResponseWriter, r *http.Request, handle func(*http.Request) (any, error)) {
	result, err := handle(r)
	if err != nil {
		status := http.StatusServiceUnavailable
		if errors.Is(err, api.ErrNodePassword) {
			status = http.StatusForbidden
		}
		log.Printf("%s %s of %s: %v", r.Method, r.URL.Path, r.RemoteAddr, err)
		http.Error(w, err.Error(), status)
		return
	}
	if raw, ok := result.([]byte); ok {
		_, _ = w.Write(raw)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(result)
}

func (s *Supervisor) config(*http.Request) (any, error) { return s.Settings, nil }

func (s *Supervisor) clientCA(*http.Request) (any, error) { return s.Cluster.Client.PEM, nil }

func (s *Supervisor) servers(r *http.Request) (any, error) { return s.API.Servers(r.Context()) }

func (s *Supervisor) bootstrap(*http.Request) (any, error) {
	return datastore.ReadShared(s.ServerDir)
}

func (s *Supervisor) members(r *http.Request) (any, error) { return s.Store.Endpoints(r.Context()) }

func (s *Supervisor) servingKubelet(r *http.Request) (any, error) {
	node, err := s.node(r)
	if err != nil {
		return nil, err
	}
	names := append([]string{node, "localhost", "127.0.0.1"}, r.Header.Values("K3s-Node-IP")...)
	return s.sign(r, s.Cluster.Server, pki.ServerLeaf(node, names...))
}

func (s *Supervisor) clientKubelet(r *http.Request) (any, error) {
	node, err := s.node(r)
	if err != nil {
		return nil, err
	}
	return s.sign(r, s.Cluster.Client, pki.ClientLeaf("system:node:"+node, "system:nodes"))
}

func (s *Supervisor) clientOf(user string) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) { return s.sign(r, s.Cluster.Client, pki.ClientLeaf(user)) }
}

// node returns the name of the node that asks, if it is the machine that had it from the first.
func (s *Supervisor) node(r *http.Request) (string, error) {
	name, password := r.Header.Get("K3s-Node-Name"), r.Header.Get("K3s-Node-Password")
	if name == "" || password == "" || strings.ContainsAny(name, "/?#") {
		return "", errors.New("expected a node's name and password")
	}
	s.mutex.RLock()
	ready := s.ready
	s.mutex.RUnlock()
	if !ready {
		return "", errors.New("the Kubernetes API is not ready yet")
	}
	return name, s.API.VerifyNodePassword(r.Context(), name, password)
}

func (s *Supervisor) sign(r *http.Request, by *pki.Authority, leaf pki.Leaf) (any, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(body)
	if block == nil {
		return nil, errors.New("expected a request for a certificate in PEM")
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, err
	}
	if err := request.CheckSignature(); err != nil {
		return nil, fmt.Errorf("request for a certificate: %w", err)
	}
	return by.Sign(request.PublicKey, leaf) // of what it says, only the key counts
}
