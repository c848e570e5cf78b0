package controlplane

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"path/filepath"

	"coldstorage.local/lab/k3s/internal/api"
	"coldstorage.local/lab/k3s/internal/children"
	"coldstorage.local/lab/k3s/internal/datastore"
	"coldstorage.local/lab/k3s/internal/pki"
	"coldstorage.local/lab/k3s/internal/supervisor"
)

// startComponents runs the control plane, and opens port 6443 before it for servers that join.
func (s *Server) startComponents(ctx context.Context) (err error) {
	file := s.cluster.Path
	s.api, err = api.WithFiles("https://127.0.0.1:"+s.port(), file("server-ca.crt"),
		file("client-supervisor.crt"), file("client-supervisor.key"))
	if err != nil {
		return err
	}
	s.supervisor = &supervisor.Supervisor{
		Cluster: s.cluster, ServerDir: s.dir, Store: s.store, API: s.api,
		Settings: supervisor.Settings{
			ClusterCIDR: s.options.Text("cluster-cidr"), ClusterDNS: s.options.Text("cluster-dns"),
			ClusterDomain: s.options.Text("cluster-domain"), FlannelBackend: s.options.Text("flannel-backend"),
			ServiceCIDR: s.options.Text("service-cidr"), NodePorts: s.options.Text("service-node-port-range"),
			DisableKubeProxy:     s.options.On("disable-kube-proxy"),
			DisableNetworkPolicy: s.options.On("disable-network-policy"), Port: s.port(), Version: s.version,
		},
	}
	s.supervisor.SetPasswords(s.password, s.agent)
	if err := s.children.Start("kube-apiserver", s.apiserver()...); err != nil {
		return err
	}
	if err := s.supervisor.Serve(ctx, s.port()); err != nil {
		return err
	}
	if err := waitFor(ctx, "kube-apiserver is not ready", func(ctx context.Context) error {
		_, err := s.api.Do(ctx, http.MethodGet, "/readyz", nil)
		return err
	}); err != nil {
		return err
	}
	log.Print("Kube API server is now running")
	s.supervisor.Ready()
	if err := s.children.Start("kube-controller-manager", s.controllerManager()...); err != nil {
		return err
	}
	return s.children.Start("kube-scheduler", s.scheduler()...)
}

func (s *Server) apiserver() []string {
	file := s.cluster.Path
	issuer := "https://kubernetes.default.svc." + s.options.Text("cluster-domain")
	advertise := s.options.Text("advertise-address")
	if advertise == "" {
		advertise = s.address
	}
	flags := map[string]string{
		"advertise-address": advertise, "bind-address": "127.0.0.1", "secure-port": s.port(),
		"permit-port-sharing": "true", "cert-dir": file("temporary-certs"),
		"allow-privileged": "true", "anonymous-auth": "false", "profiling": "false",
		"api-audiences": issuer + ",k3s", "authorization-mode": "Node,RBAC",
		"client-ca-file":           file("client-ca.crt"),
		"enable-admission-plugins": "NodeRestriction", "enable-aggregator-routing": "true",
		"enable-bootstrap-token-auth": "true",
		"etcd-servers":                datastore.Local, "etcd-cafile": file("etcd/server-ca.crt"),
		"etcd-certfile": file("etcd/client.crt"), "etcd-keyfile": file("etcd/client.key"),
		"kubelet-certificate-authority":      file("server-ca.crt"),
		"kubelet-client-certificate":         file("client-kube-apiserver.crt"),
		"kubelet-client-key":                 file("client-kube-apiserver.key"),
		"kubelet-preferred-address-types":    "InternalIP,ExternalIP,Hostname",
		"proxy-client-cert-file":             file("client-auth-proxy.crt"),
		"proxy-client-key-file":              file("client-auth-proxy.key"),
		"requestheader-allowed-names":        "system:auth-proxy",
		"requestheader-client-ca-file":       file("request-header-ca.crt"),
		"requestheader-extra-headers-prefix": "X-Remote-Extra-",
		"requestheader-group-headers":        "X-Remote-Group",
		"requestheader-username-headers":     "X-Remote-User",
		"service-account-issuer":             issuer,
		"service-account-key-file":           file("service.key"),
		"service-account-signing-key-file":   file("service.key"),
		"service-cluster-ip-range":           s.options.Text("service-cidr"),
		"service-node-port-range":            s.options.Text("service-node-port-range"),
		"storage-backend":                    "etcd3",
		"tls-cert-file":                      file("serving-kube-apiserver.crt"),
		"tls-private-key-file":               file("serving-kube-apiserver.key"),
	}
	if _, err := os.Stat(s.encryptionFile()); err == nil {
		flags["encryption-provider-config"] = s.encryptionFile()
	}
	return children.Flags(flags, s.options.List("kube-apiserver-arg"))
}

func (s *Server) controllerManager() []string {
	file, config := s.cluster.Path, filepath.Join(s.dir, "cred/controller.kubeconfig")
	return children.Flags(map[string]string{
		"allocate-node-cidrs": "true", "bind-address": "127.0.0.1", "profiling": "false",
		"authentication-kubeconfig": config, "authorization-kubeconfig": config, "kubeconfig": config,
		"cluster-cidr":                     s.options.Text("cluster-cidr"),
		"service-cluster-ip-range":         s.options.Text("service-cidr"),
		"cluster-signing-cert-file":        file("client-ca.crt"),
		"cluster-signing-key-file":         file("client-ca.key"),
		"configure-cloud-routes":           "false",
		"controllers":                      "*,tokencleaner",
		"root-ca-file":                     file("server-ca.crt"),
		"service-account-private-key-file": file("service.key"),
		"tls-cert-file":                    file("serving-kube-apiserver.crt"),
		"tls-private-key-file":             file("serving-kube-apiserver.key"),
		"use-service-account-credentials":  "true",
	}, s.options.List("kube-controller-manager-arg"))
}

func (s *Server) scheduler() []string {
	file, config := s.cluster.Path, filepath.Join(s.dir, "cred/scheduler.kubeconfig")
	return children.Flags(map[string]string{
		"bind-address": "127.0.0.1", "profiling": "false", "kubeconfig": config,
		"authentication-kubeconfig": config, "authorization-kubeconfig": config,
		"tls-cert-file":        file("serving-kube-apiserver.crt"),
		"tls-private-key-file": file("serving-kube-apiserver.key"),
	}, s.options.List("kube-scheduler-arg"))
}

func (s *Server) encryptionFile() string {
	return filepath.Join(s.dir, "cred/encryption-config.json")
}

// encryption has secrets encrypted in etcd if that is wanted from the first start on.
func (s *Server) encryption() error {
	if _, err := os.Stat(s.encryptionFile()); err == nil || !s.options.On("secrets-encryption") {
		return nil
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	text, err := json.Marshal(map[string]any{
		"kind": "EncryptionConfiguration", "apiVersion": "apiserver.config.k8s.io/v1",
		"resources": []any{map[string]any{
			"resources": []string{"secrets"},
			"providers": []any{
				map[string]any{"aescbc": map[string]any{"keys": []any{map[string]string{
					"name": "aescbckey", "secret": base64.StdEncoding.EncodeToString(key),
				}}}},
				map[string]any{"identity": map[string]any{}},
			},
		}},
	})
	if err != nil {
		return err
	}
	return pki.Write(s.encryptionFile(), text, 0o600)
}
