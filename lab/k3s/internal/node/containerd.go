package node

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"coldstorage.local/lab/k3s/internal/pki"
)

const (
	stateDir = "/run/k3s/containerd"
	socket   = stateDir + "/containerd.sock"
)

//go:embed containerd.toml.tmpl
var containerdTemplate string

// startContainerd runs containerd, and gives it the images that lie ready for it.
func (n *Node) startContainerd(ctx context.Context) error {
	bin := filepath.Dir(n.children.Command("containerd").Path)
	hosts := n.path("etc/containerd/certs.d")
	if err := n.writeRegistries(hosts); err != nil {
		return err
	}
	var text bytes.Buffer
	if err := template.Must(template.New("").Parse(containerdTemplate)).Execute(&text, map[string]any{
		"Root": n.path("containerd"), "State": stateDir, "Socket": socket, "Bin": bin,
		"Pause": n.options.Text("pause-image"), "Snapshotter": n.options.Text("snapshotter"),
		"CNI": n.path("etc/cni/net.d"), "Hosts": hosts, "Systemd": cgroupDriver() == "systemd",
		"NoAppArmor": !exists("/sys/kernel/security/apparmor"), "LimitedScore": !mayLowerScore(),
	}); err != nil {
		return err
	}
	file := n.path("etc/containerd/config.toml")
	if err := pki.Write(file, text.Bytes(), 0o600); err != nil {
		return err
	}
	if err := n.children.Start("containerd", "--config="+file, "--address="+socket); err != nil {
		return err
	}
	for {
		_, err := n.ctr(ctx, "version")
		if err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("containerd did not answer: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
	return n.importImages(ctx)
}

func (n *Node) ctr(ctx context.Context, arguments ...string) (string, error) {
	return n.children.Output(ctx, nil, "ctr", append([]string{"--address=" + socket, "--namespace=k8s.io"}, arguments...)...)
}

// importImages takes in the archives of agent/images, and keeps the garbage collection off them.
func (n *Node) importImages(ctx context.Context) error {
	archives, err := filepath.Glob(n.path("images/*.tar*"))
	if err != nil {
		return err
	}
	for _, archive := range archives {
		log.Printf("Importing images from %s", archive)
		said, err := n.ctr(ctx, "images", "import", "--all-platforms", archive)
		if err != nil {
			return err
		}
		for _, line := range strings.Split(said, "\n") {
			if fields := strings.Fields(line); len(fields) > 1 && strings.Contains(fields[0], "/") {
				if _, err := n.ctr(ctx, "images", "label", fields[0], "io.cri-containerd.pinned=pinned"); err != nil {
					log.Printf("%s may be collected as garbage: %v", fields[0], err)
				}
			}
		}
	}
	return nil
}

// mayLowerScore tells whether containers can be put before others when memory runs out.
func mayLowerScore() bool {
	const file = "/proc/self/oom_score_adj"
	old, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	if err := os.WriteFile(file, []byte("-999"), 0o644); err != nil {
		return false
	}
	return os.WriteFile(file, old, 0o644) == nil
}
