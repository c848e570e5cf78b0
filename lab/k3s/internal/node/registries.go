package node

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"coldstorage.local/lab/k3s/internal/pki"
	"gopkg.in/yaml.v3"
)

// registries is what K3s's registries.yaml says, as far as it is followed here.
type registries struct {
	Mirrors map[string]struct {
		Endpoint []string          `yaml:"endpoint"`
		Rewrite  map[string]string `yaml:"rewrite"`
	} `yaml:"mirrors"`
	Configs map[string]struct {
		Auth struct {
			Username string `yaml:"username"`
			Password string `yaml:"password"`
		} `yaml:"auth"`
		TLS struct {
			CA                 string `yaml:"ca_file"`
			Cert               string `yaml:"cert_file"`
			Key                string `yaml:"key_file"`
			InsecureSkipVerify bool   `yaml:"insecure_skip_verify"`
		} `yaml:"tls"`
	} `yaml:"configs"`
}

// writeRegistries turns registries.yaml into containerd's hosts.toml files.
func (n *Node) writeRegistries(folder string) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	place := n.options.Text("private-registry")
	text, err := os.ReadFile(place)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var wanted registries
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&wanted); err != nil {
		return fmt.Errorf("%s: %w", place, err)
	}
	for name := range wanted.Configs {
		if _, mirrored := wanted.Mirrors[name]; !mirrored {
			if wanted.Mirrors == nil {
				return fmt.Errorf("%s: configs without mirrors are not followed by this stand-in", place)
			}
		}
	}
	for name, mirror := range wanted.Mirrors {
		if name == "*" {
			name = "_default"
		}
		if len(mirror.Rewrite) > 0 {
			return fmt.Errorf("%s: %s: rewrite is not followed by this stand-in", place, name)
		}
		var hosts strings.Builder
		for _, endpoint := range mirror.Endpoint {
			hosts.WriteString(wanted.host(endpoint))
		}
		file := filepath.Join(folder, name, "hosts.toml")
		if err := pki.Write(file, []byte(hosts.String()), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (r registries) host(endpoint string) string {
	_, rest, _ := strings.Cut(endpoint, "://")
	name, _, _ := strings.Cut(rest, "/")
	config := r.Configs[name]
	table := fmt.Sprintf("[host.%q]\n  capabilities = [\"pull\", \"resolve\"]\n", endpoint)
	if config.TLS.CA != "" {
		table += fmt.Sprintf("  ca = %q\n", config.TLS.CA)
	}
	if config.TLS.Cert != "" {
		table += fmt.Sprintf("  client = [[%q, %q]]\n", config.TLS.Cert, config.TLS.Key)
	}
	if config.TLS.InsecureSkipVerify {
		table += "  skip_verify = true\n"
	}
	if config.Auth.Username != "" {
		pair := base64.StdEncoding.EncodeToString([]byte(config.Auth.Username + ":" + config.Auth.Password))
		table += fmt.Sprintf("  [host.%q.header]\n    Authorization = %q\n", endpoint, "Basic "+pair)
	}
	return table
}
