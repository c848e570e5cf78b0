// Package api asks the Kubernetes API for the few things that a server needs of it.
package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// ErrNotFound is the answer that there is no such thing.
var ErrNotFound = errors.New("not found")

// Client speaks to one API server, or to whoever else answers HTTPS.
type Client struct {
	URL  string
	HTTP *http.Client
	// User and Password are shown if there is no certificate.
	User, Password string
	Header         http.Header
}

// WithFiles returns a client that shows a certificate.
func WithFiles(url, authority, certificate, key string) (*Client, error) {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, err
	}
	roots, err := os.ReadFile(authority)
	if err != nil {
		return nil, err
	}
	client := Trusting(url, roots)
	transport, ok := client.HTTP.Transport.(*http.Transport)
	if !ok {
		return nil, errors.New("no HTTP transport")
	}
	transport.TLSClientConfig.Certificates = []tls.Certificate{pair}
	return client, nil
}

// Trusting returns a client that believes one authority; any, if it is given none.
func Trusting(url string, authority []byte) *Client {
	settings := &tls.Config{InsecureSkipVerify: authority == nil}
	if authority != nil {
		settings.RootCAs = x509.NewCertPool()
		settings.RootCAs.AppendCertsFromPEM(authority)
	}
	return &Client{
		URL:  strings.TrimSuffix(url, "/"),
		HTTP: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: settings}},
	}
}

// Do sends a request and returns what came back; everything but a 2xx is an error.
func (c *Client) Do(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range c.Header {
		request.Header[name] = values
	}
	if c.User != "" {
		request.SetBasicAuth(c.User, c.Password)
	}
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", "application/merge-patch+json")
	} else if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.HTTP.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		return nil, err
	case answer.StatusCode == http.StatusNotFound:
		return nil, fmt.Errorf("%s: %w", path, ErrNotFound)
	case answer.StatusCode/100 != 2:
		return nil, fmt.Errorf("%s%s: %s: %s", c.URL, path, answer.Status, strings.TrimSpace(string(content)))
	}
	return content, nil
}

// Get reads an object.
func (c *Client) Get(ctx context.Context, path string, into any) error {
	content, err := c.Do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(content, into)
}

// NodeNames returns the cluster's servers: the nodes that etcd runs on.
func (c *Client) NodeNames(ctx context.Context) ([]string, error) {
	var list struct {
		Items []struct{ Metadata struct{ Name string } }
	}
	if err := c.Get(ctx, "/api/v1/nodes?labelSelector=node-role.kubernetes.io/etcd", &list); err != nil {
		return nil, err
	}
	var names []string
	for _, item := range list.Items {
		names = append(names, item.Metadata.Name)
	}
	return names, nil
}

// Servers returns where the API answers, on each server.
func (c *Client) Servers(ctx context.Context) ([]string, error) {
	var endpoints struct {
		Subsets []struct {
			Addresses []struct{ IP string }
			Ports     []struct{ Port int }
		}
	}
	if err := c.Get(ctx, "/api/v1/namespaces/default/endpoints/kubernetes", &endpoints); err != nil {
		return nil, err
	}
	var servers []string
	for _, subset := range endpoints.Subsets {
		for _, address := range subset.Addresses {
			for _, port := range subset.Ports {
				servers = append(servers, fmt.Sprintf("%s:%d", address.IP, port.Port))
			}
		}
	}
	return servers, nil
}

// Label puts labels on a node.
func (c *Client) Label(ctx context.Context, node string, labels map[string]string) error {
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": labels}})
	if err != nil {
		return err
	}
	_, err = c.Do(ctx, http.MethodPatch, "/api/v1/nodes/"+node, body)
	return err
}
