package node

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"coldstorage.local/lab/k3s/internal/api"
	"coldstorage.local/lab/k3s/internal/pki"
)

// credentials fetches the cluster's settings and has the node's certificates signed.
func (n *Node) credentials(ctx context.Context, client *api.Client) error {
	secret, err := password()
	if err != nil {
		return err
	}
	client.Header = http.Header{}
	client.Header.Set("K3s-Node-Name", n.name)
	client.Header.Set("K3s-Node-Password", secret)
	client.Header.Set("K3s-Node-IP", n.address)
	if err := pki.Write(n.path("server-ca.crt"), n.cluster.CA, 0o644); err != nil {
		return err
	}
	config, err := patiently(ctx, client, http.MethodGet, "/v1-k3s/config", nil)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(config, &n.settings); err != nil {
		return err
	}
	authority, err := patiently(ctx, client, http.MethodGet, "/v1-k3s/client-ca.crt", nil)
	if err != nil {
		return err
	}
	if err := pki.Write(n.path("client-ca.crt"), authority, 0o644); err != nil {
		return err
	}
	for _, name := range []string{"serving-kubelet", "client-kubelet", "client-kube-proxy", "client-k3s-controller"} {
		if err := n.sign(ctx, client, name); err != nil {
			return err
		}
	}
	for file, certificate := range map[string]string{
		"kubelet": "client-kubelet", "kubeproxy": "client-kube-proxy", "k3scontroller": "client-k3s-controller",
	} {
		config := Kubeconfig(n.cluster.API,
			map[string]string{"certificate-authority": n.path("server-ca.crt")},
			map[string]string{
				"client-certificate": n.path(certificate + ".crt"), "client-key": n.path(certificate + ".key"),
			})
		if err := pki.Write(n.path(file+".kubeconfig"), config, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) sign(ctx context.Context, client *api.Client, name string) error {
	key, err := pki.Key(n.path(name + ".key"))
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return err
	}
	request := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	certificate, err := patiently(ctx, client, http.MethodPost, "/v1-k3s/"+name+".crt", request)
	if err != nil {
		return err
	}
	return pki.Write(n.path(name+".crt"), certificate, 0o644)
}

// patiently asks until a server can answer; that it refuses our token is an answer. That it knows
// another machine by our name is none: K3s too waits until that one's node was deleted.
func patiently(ctx context.Context, client *api.Client, method, path string, body []byte) ([]byte, error) {
	for {
		content, err := client.Do(ctx, method, path, body)
		if err == nil || refused(err) {
			return content, err
		}
		log.Printf("Waiting for a server: %v", err)
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		case <-time.After(time.Second):
		}
	}
}

func refused(err error) bool {
	return strings.Contains(err.Error(), ": 401 ")
}

// Kubeconfig returns one with a single cluster and user; the maps hold files or data.
func Kubeconfig(server string, authority, user map[string]string) []byte {
	cluster := map[string]string{"server": server}
	for name, value := range authority {
		cluster[name] = value
	}
	text, err := json.MarshalIndent(map[string]any{ // which is YAML too
		"apiVersion": "v1", "kind": "Config", "current-context": "default",
		"clusters": []any{map[string]any{"name": "default", "cluster": cluster}},
		"users":    []any{map[string]any{"name": "default", "user": user}},
		"contexts": []any{map[string]any{
			"name": "default", "context": map[string]string{"cluster": "default", "user": "default"},
		}},
	}, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("kubeconfig: %v", err)) // strings always can be encoded
	}
	return append(text, '\n')
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
