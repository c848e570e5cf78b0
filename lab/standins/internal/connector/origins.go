package connector

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"coldstorage.local/lab/standins/internal/tunnel"
)

// settings are what an ingress rule says of its origin, as far as the stand-in honours it.
type settings struct {
	CaPool, HTTPHostHeader, OriginServerName string
	ConnectTimeout                           int
	NoTLSVerify                              bool
	HTTP2Origin                              bool
}

// origins passes requests on to the services that the edge names.
type origins struct{ transports sync.Map }

func (o *origins) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target, transport, wanted, err := o.origin(r)
	if err != nil {
		unreachable(w, err)
		return
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(p *httputil.ProxyRequest) { rewrite(p, target, wanted) },
		Transport:     transport,
		FlushInterval: -1,
		ErrorLog:      slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil {
				slog.Error("Unable to reach the origin service", "service", target.String(), "error", err)
			}
			unreachable(w, err)
		},
	}
	if r.Header.Get(tunnel.Upgrade) != "" {
		upgrade(w, r, proxy)
		return
	}
	proxy.ServeHTTP(w, r)
}

func unreachable(w http.ResponseWriter, err error) {
	w.Header().Set(tunnel.Fault, "origin")
	w.WriteHeader(http.StatusBadGateway)
	_, _ = fmt.Fprintf(w, "Unable to reach the origin service. The service may be down or it may "+
		"not be responding to traffic from cloudflared: %v\n", err)
}

func rewrite(p *httputil.ProxyRequest, target *url.URL, wanted settings) {
	p.SetURL(target)
	p.Out.Host = p.In.Host
	if wanted.HTTPHostHeader != "" {
		p.Out.Host = wanted.HTTPHostHeader
	}
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		p.Out.Header[name] = p.In.Header[name] // the edge's word
	}
	for _, name := range []string{tunnel.Service, tunnel.Origin, tunnel.Upgrade} {
		p.Out.Header.Del(name)
	}
}

// origin returns where a request goes, and how.
func (o *origins) origin(r *http.Request) (*url.URL, http.RoundTripper, settings, error) {
	var wanted settings
	service, text := r.Header.Get(tunnel.Service), r.Header.Get(tunnel.Origin)
	if err := json.Unmarshal([]byte(text), &wanted); err != nil {
		return nil, nil, wanted, fmt.Errorf("originRequest: %w", err)
	}
	target, err := url.Parse(service)
	if err != nil {
		return nil, nil, wanted, err
	}
	socket, isSocket := strings.CutPrefix(service, "unix:")
	if isSocket {
		target = &url.URL{Scheme: "http", Host: "localhost"}
	} else if socket = ""; target.Scheme != "http" && target.Scheme != "https" {
		return nil, nil, wanted, fmt.Errorf("the stand-in knows no service %s", service)
	}
	key := service + text
	if known, is := o.transports.Load(key); is {
		return target, known.(http.RoundTripper), wanted, nil
	}
	transport, err := wanted.transport(socket)
	if err != nil {
		return nil, nil, wanted, err
	}
	known, _ := o.transports.LoadOrStore(key, transport)
	return target, known.(http.RoundTripper), wanted, nil
}

func (s settings) transport(socket string) (*http.Transport, error) {
	patience := 30 * time.Second
	if s.ConnectTimeout > 0 {
		patience = time.Duration(s.ConnectTimeout) * time.Second
	}
	dialer := &net.Dialer{Timeout: patience}
	transport := &http.Transport{
		DialContext: dialer.DialContext, DisableCompression: true, MaxIdleConnsPerHost: 100,
		IdleConnTimeout: 90 * time.Second, ForceAttemptHTTP2: s.HTTP2Origin,
		//nolint:gosec // what the rule says, and what a request for a self-signed origin needs
		TLSClientConfig: &tls.Config{
			ServerName: s.OriginServerName, InsecureSkipVerify: s.NoTLSVerify,
		},
	}
	if socket != "" {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		}
	}
	if s.CaPool != "" {
		text, err := os.ReadFile(s.CaPool)
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(text)
	}
	return transport, nil
}

// upgrade opens a socket of another protocol at the origin and joins it to the request's bodies.
func upgrade(w http.ResponseWriter, r *http.Request, proxy *httputil.ReverseProxy) {
	out := r.Clone(r.Context())
	out.Method, out.Body, out.ContentLength = http.MethodGet, http.NoBody, 0
	wanted := r.Header.Get(tunnel.Upgrade)
	proxy.Rewrite(&httputil.ProxyRequest{In: r, Out: out})
	out.Header.Set("Connection", "Upgrade")
	out.Header.Set("Upgrade", wanted)
	response, err := proxy.Transport.RoundTrip(out)
	if err != nil {
		unreachable(w, err)
		return
	}
	defer response.Body.Close()
	for name, values := range response.Header {
		w.Header()[name] = values
	}
	socket, switched := response.Body.(io.ReadWriteCloser)
	if response.StatusCode != http.StatusSwitchingProtocols || !switched {
		w.WriteHeader(response.StatusCode)
		_, _ = io.Copy(w, response.Body)
		return
	}
	w.Header().Del("Connection")
	w.Header().Del("Upgrade")
	w.Header().Set(tunnel.Upgrade, wanted)
	w.WriteHeader(http.StatusOK)
	controller := http.NewResponseController(w)
	_ = controller.Flush() // the visitor may be the one who speaks first
	go func() {
		_, _ = io.Copy(socket, r.Body)
		_ = socket.Close()
	}()
	_, _ = io.Copy(flushed{w, controller}, socket)
}

// flushed sends every piece at once.
type flushed struct {
	http.ResponseWriter
	controller *http.ResponseController
}

func (f flushed) Write(piece []byte) (int, error) {
	n, err := f.ResponseWriter.Write(piece)
	if err != nil {
		return n, err
	}
	return n, f.controller.Flush()
}
