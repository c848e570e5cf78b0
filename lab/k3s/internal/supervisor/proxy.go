package supervisor

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
)

// via marks requests of ours: one that comes back found no API server behind this port.
const via = "X-K3s-Stand-In"

// newProxy hands requests to the API server, as whom the client's certificate shows him to be.
func newProxy(s *Supervisor, port string, clients *x509.CertPool) (http.Handler, error) {
	pair, err := tls.LoadX509KeyPair(
		s.Cluster.Path("client-auth-proxy.crt"), s.Cluster.Path("client-auth-proxy.key"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.Cluster.Server.PEM)
	known := to(port, &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}})
	unknown := to(port, &tls.Config{RootCAs: roots})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mutex.RLock()
		ready := s.ready
		s.mutex.RUnlock()
		if !ready || r.Header.Get(via) != "" {
			// The next connection to 127.0.0.1 may find the API server itself.
			w.Header().Set("Connection", "close")
			http.Error(w, "apiserver not ready", http.StatusServiceUnavailable)
			return
		}
		// Nobody but us may say who somebody is.
		for name := range r.Header {
			if strings.HasPrefix(name, "X-Remote-") {
				r.Header.Del(name)
			}
		}
		client := verified(r, clients)
		if client == nil {
			unknown.ServeHTTP(w, r)
			return
		}
		r.Header.Set("X-Remote-User", client.Subject.CommonName)
		for _, group := range client.Subject.Organization {
			r.Header.Add("X-Remote-Group", group)
		}
		known.ServeHTTP(w, r)
	}), nil
}

func to(port string, settings *tls.Config) http.Handler {
	target := &url.URL{Scheme: "https", Host: "127.0.0.1:" + port}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Set(via, "1")
		},
		// HTTP/1.1, which exec and port-forward need; they leave it after a word or two.
		Transport:     &http.Transport{TLSClientConfig: settings, MaxIdleConnsPerHost: 100},
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil {
				log.New(os.Stderr, "", 0).Printf("apiserver: %v", err)
			}
			http.Error(w, "apiserver not ready", http.StatusBadGateway)
		},
	}
}

func verified(r *http.Request, clients *x509.CertPool) *x509.Certificate {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil
	}
	shown := r.TLS.PeerCertificates
	between := x509.NewCertPool()
	for _, certificate := range shown[1:] {
		between.AddCert(certificate)
	}
	_, err := shown[0].Verify(x509.VerifyOptions{
		Roots: clients, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return nil
	}
	return shown[0]
}
