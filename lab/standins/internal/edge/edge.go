package edge

import (
	"crypto/rsa"
	"crypto/tls"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"strconv"
	"strings"

	"coldstorage.local/lab/standins/internal/tunnel"
)

// Edge answers visitors, and takes connectors.
type Edge struct {
	Watcher    *Watcher
	Connectors *Connectors
	// Key signs the identities that the edge itself hands out.
	Key *rsa.PrivateKey
}

// Server returns the HTTPS server; a connector comes to the same port, by another protocol of TLS.
func (e *Edge) Server(certificate tls.Certificate) *http.Server {
	server := &http.Server{
		Handler:   e,
		Protocols: new(http.Protocols),
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{certificate},
			NextProtos:   []string{"h2", "http/1.1", tunnel.Protocol},
		},
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){
			tunnel.Protocol: func(_ *http.Server, conn *tls.Conn, _ http.Handler) {
				e.Connectors.Serve(conn, e.Watcher)
			},
		},
		ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
	// With a map of its own for TLS, a server speaks HTTP/1 alone unless it is told.
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetHTTP2(true)
	server.RegisterOnShutdown(e.Connectors.Close)
	return server
}

// ServeHTTP lets a request through to its service, or says why not.
func (e *Edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", "lab-edge (STAND-IN for Cloudflare)")
	world, err := e.Watcher.World()
	if err != nil {
		page(w, http.StatusInternalServerError, "The lab's Cloudflare cannot be read: "+err.Error())
		return
	}
	host := hostOf(r)
	if e.own(w, r, world, host) {
		return
	}
	identity, passed := e.guard(w, r, world, host)
	if !passed {
		return
	}
	id := world.Tunnel(host)
	rule := world.Rule(id, host, r.URL.Path)
	switch {
	case id == "":
		numbered(w, 530, 1016, "no proxied record of "+host+" that points at a tunnel")
	case rule == nil:
		numbered(w, http.StatusServiceUnavailable, 1033, "the tunnel has no configuration")
	case strings.HasPrefix(rule.Service, "http_status:"):
		status, _ := strconv.Atoi(strings.TrimPrefix(rule.Service, "http_status:"))
		w.WriteHeader(max(status, 100))
	default:
		e.forward(w, r, id, rule, identity)
	}
}

// own answers what lies below /cdn-cgi on every host.
func (e *Edge) own(w http.ResponseWriter, r *http.Request, world *World, host string) bool {
	switch path := r.URL.Path; {
	case path == "/cdn-cgi/lab/tunnels":
		_ = json.NewEncoder(w).Encode(e.Connectors.All())
	case path == "/cdn-cgi/access/certs":
		_ = json.NewEncoder(w).Encode(e.publicKeys())
	case path == "/cdn-cgi/access/logout":
		http.SetCookie(w, &http.Cookie{Name: cookie, Path: "/", MaxAge: -1})
		page(w, http.StatusOK, "You are logged out.")
	case strings.HasPrefix(path, "/cdn-cgi/access/login/"):
		e.login(w, r, world, host)
	default:
		return false
	}
	return true
}

// guard lets a visitor pass, with the identity that the origin is told; or answers in its place.
func (e *Edge) guard(
	w http.ResponseWriter, r *http.Request, world *World, host string,
) (*claims, bool) {
	app := world.Application(host, r.URL.Path)
	if app == nil {
		return nil, true
	}
	identity := e.identity(r, world, app)
	visitor := Visitor{Address: addressOf(r)}
	if identity != nil {
		visitor.Email, visitor.Token = identity.Email, identity.token
	}
	switch verdict := world.Judge(app, visitor); {
	case verdict == PassUnseen:
		return nil, true
	case verdict == Pass:
		return identity, true
	case verdict == Login && app.ServiceAuth401Redirect:
		page(w, http.StatusUnauthorized, "A service token is needed.")
	case verdict == Login:
		http.Redirect(w, r, loginAddress(host, app, r.URL.RequestURI()), http.StatusFound)
	default:
		page(w, http.StatusForbidden, "Forbidden. You don't have permission to view this.")
	}
	return nil, false
}

func (e *Edge) forward(
	w http.ResponseWriter, r *http.Request, id string, rule *Rule, identity *claims,
) {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host, p.Out.Host = "http", p.In.Host, p.In.Host
			p.SetXForwarded()
			e.describe(p.Out.Header, r, rule, identity)
		},
		Transport:     through{e.Connectors, id},
		FlushInterval: -1,
		ErrorLog:      slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			if errors.Is(err, errNoConnector) {
				numbered(w, 530, 1033, "no connector of the tunnel is connected")
				return
			}
			slog.Warn("a request was lost", "tunnel", id, "error", err)
			numbered(w, http.StatusBadGateway, 502, err.Error())
		},
	}
	if r.Header.Get("Upgrade") != "" {
		e.upgrade(w, r, proxy)
		return
	}
	proxy.ServeHTTP(w, r)
}

// describe tells the connector where to, and the origin what Cloudflare tells it; what a visitor
// claims of itself is taken out.
func (e *Edge) describe(header http.Header, r *http.Request, rule *Rule, identity *claims) {
	for _, name := range []string{
		assertion, emailHeader, clientID, clientSecret, accessToken,
		tunnel.Service, tunnel.Origin, tunnel.Upgrade, tunnel.Fault,
	} {
		header.Del(name)
	}
	settings, _ := json.Marshal(rule.OriginRequest)
	header.Set(tunnel.Service, rule.Service)
	header.Set(tunnel.Origin, string(settings))
	header.Set("Cf-Connecting-Ip", addressOf(r).String())
	header.Set("Cf-Visitor", `{"scheme":"https"}`)
	header.Set("Cf-Ray", ray())
	if identity != nil {
		header.Set(assertion, identity.signed)
		if identity.Email != "" {
			header.Set(emailHeader, identity.Email)
		}
	}
}

func hostOf(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		return host
	}
	return r.Host
}

func addressOf(r *http.Request) netip.Addr {
	address, _ := netip.ParseAddrPort(r.RemoteAddr)
	return address.Addr().Unmap()
}
