package node

import (
	"log"
	"os"
	"path/filepath"
	"strings"

	"coldstorage.local/lab/k3s/internal/children"
	"coldstorage.local/lab/k3s/internal/pki"
	"gopkg.in/yaml.v3"
)

// startKubelet writes kubelet's settings where K3s has them; files beside them are merged after.
func (n *Node) startKubelet() error {
	resolv, err := n.resolvConf()
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(map[string]any{
		"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
		"authentication": map[string]any{
			"anonymous": map[string]bool{"enabled": false},
			"webhook":   map[string]bool{"enabled": true},
			"x509":      map[string]string{"clientCAFile": n.path("client-ca.crt")},
		},
		"authorization":            map[string]string{"mode": "Webhook"},
		"cgroupDriver":             cgroupDriver(),
		"failCgroupV1":             false,
		"clusterDNS":               []string{n.settings.ClusterDNS},
		"clusterDomain":            n.settings.ClusterDomain,
		"containerRuntimeEndpoint": "unix://" + socket,
		"evictionHard":             map[string]string{"imagefs.available": "5%", "nodefs.available": "5%"},
		"evictionMinimumReclaim":   map[string]string{"imagefs.available": "10%", "nodefs.available": "10%"},
		"failSwapOn":               false,
		"healthzBindAddress":       "127.0.0.1",
		"protectKernelDefaults":    n.options.On("protect-kernel-defaults"),
		"resolvConf":               resolv,
		"serializeImagePulls":      false,
		"staticPodPath":            n.path("pod-manifests"),
		"tlsCertFile":              n.path("serving-kubelet.crt"),
		"tlsPrivateKeyFile":        n.path("serving-kubelet.key"),
	})
	if err != nil {
		return err
	}
	dropIns := n.path("etc/kubelet.conf.d")
	if err := pki.Write(filepath.Join(dropIns, "00-k3s-defaults.conf"), text, 0o600); err != nil {
		return err
	}
	if err := os.MkdirAll(n.path("pod-manifests"), 0o700); err != nil {
		return err
	}
	flags := map[string]string{
		"config-dir": dropIns, "hostname-override": n.name, "kubeconfig": n.path("kubelet.kubeconfig"),
		"node-ip": n.address, "provider-id": "k3s://" + n.name,
	}
	for option, flag := range map[string]string{"node-label": "node-labels", "node-taint": "register-with-taints"} {
		if values := n.options.List(option); len(values) > 0 {
			flags[flag] = strings.Join(values, ",")
		}
	}
	return n.children.Start("kubelet", children.Flags(flags, n.options.List("kubelet-arg"))...)
}

// cgroupDriver is systemd's where systemd manages a unified hierarchy for us.
func cgroupDriver() string {
	if exists("/sys/fs/cgroup/cgroup.controllers") && os.Getenv("INVOCATION_ID") != "" {
		return "systemd"
	}
	return "cgroupfs"
}

// resolvConf is the host's, unless pods could not use what is in it.
func (n *Node) resolvConf() (string, error) {
	if wanted := n.options.Text("resolv-conf"); wanted != "" {
		return wanted, nil
	}
	for _, file := range []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"} {
		content, _ := os.ReadFile(file) // none is as good as one without servers
		usable := false
		for _, line := range strings.Split(string(content), "\n") {
			fields := strings.Fields(line)
			if len(fields) > 1 && fields[0] == "nameserver" && !strings.HasPrefix(fields[1], "127.") {
				usable = true
			}
		}
		if usable {
			return file, nil
		}
	}
	log.Print("Host resolv.conf has no nameservers that pods can use: 8.8.8.8 is used, as K3s does")
	own := n.path("etc/resolv.conf")
	return own, pki.Write(own, []byte("nameserver 8.8.8.8\n"), 0o644)
}
