package connector

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"sync"
)

// Metrics are what cloudflared tells about itself, by its own names.
type Metrics struct {
	Connector, Version string

	mutex      sync.Mutex
	open       map[int]string // location by connection
	registered int
	total      int
	concurrent int
	failed     int
	byCode     map[int]int
}

// ServeHTTP answers /ready, /metrics and /healthcheck.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/ready":
		m.ready(w)
	case "/metrics":
		m.print(w)
	case "/healthcheck":
		_, _ = fmt.Fprintln(w, "OK")
	default:
		http.NotFound(w, r)
	}
}

func (m *Metrics) ready(w http.ResponseWriter) {
	m.mutex.Lock()
	open := len(m.open)
	m.mutex.Unlock()
	status := http.StatusOK
	if open == 0 {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"status": status, "readyConnections": open, "connectorId": m.Connector,
	})
}

func (m *Metrics) print(w http.ResponseWriter) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	line := func(kind, name, labels string, value int) {
		_, _ = fmt.Fprintf(w, "# TYPE %s %s\n%s%s %d\n", name, kind, name, labels, value)
	}
	line("gauge", "build_info", fmt.Sprintf(`{goversion=%q,type="stand-in",version=%q}`,
		runtime.Version(), m.Version), 1)
	line("gauge", "cloudflared_tunnel_ha_connections", "", len(m.open))
	line("counter", "cloudflared_tunnel_total_requests", "", m.total)
	line("counter", "cloudflared_tunnel_request_errors", "", m.failed)
	line("gauge", "cloudflared_tunnel_concurrent_requests_per_tunnel", "", m.concurrent)
	line("counter", "cloudflared_tunnel_tunnel_register_success",
		`{rpcName="registerConnection"}`, m.registered)
	for _, code := range slices.Sorted(maps.Keys(m.byCode)) {
		_, _ = fmt.Fprintf(w, "cloudflared_tunnel_response_by_code{status_code=\"%d\"} %d\n",
			code, m.byCode[code])
	}
	for _, index := range slices.Sorted(maps.Keys(m.open)) {
		_, _ = fmt.Fprintf(w,
			"cloudflared_tunnel_server_locations{connection_id=\"%d\",edge_location=%q} 1\n",
			index, m.open[index])
	}
}

func (m *Metrics) opened(index int, location string) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.open == nil {
		m.open, m.byCode = map[int]string{}, map[int]int{}
	}
	m.open[index] = location
	m.registered++
}

func (m *Metrics) closed(index int) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	delete(m.open, index)
}

// counted counts what goes through a handler.
func (m *Metrics) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.mutex.Lock()
		m.total++
		m.concurrent++
		m.mutex.Unlock()
		noted := &noted{ResponseWriter: w, code: http.StatusOK}
		defer func() {
			m.mutex.Lock()
			defer m.mutex.Unlock()
			m.concurrent--
			m.byCode[noted.code]++
			if noted.code == http.StatusBadGateway {
				m.failed++
			}
		}()
		next.ServeHTTP(noted, r)
	})
}

// noted remembers the status of an answer.
type noted struct {
	http.ResponseWriter
	code int
}

func (n *noted) WriteHeader(code int) {
	n.code = code
	n.ResponseWriter.WriteHeader(code)
}

// Unwrap lets a response controller reach what is below.
func (n *noted) Unwrap() http.ResponseWriter { return n.ResponseWriter }
