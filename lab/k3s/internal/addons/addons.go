// Package addons deploys what lies in server/manifests: a server's own files and the user's.
package addons

import (
	"context"
	"embed"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"coldstorage.local/lab/k3s/internal/children"
	"coldstorage.local/lab/k3s/internal/pki"
)

//go:embed manifests/*.yaml
var own embed.FS

const lookEvery = 3 * time.Second

// Deployer applies the files of a folder whenever they change.
type Deployer struct {
	Dir        string
	Kubeconfig string
	Values     map[string]string
	Children   *children.Group
}

// Write puts this program's own manifests into the folder, but for the disabled ones.
func (d Deployer) Write(disabled []string) error {
	entries, err := own.ReadDir("manifests")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := strings.TrimSuffix(entry.Name(), ".yaml")
		place := filepath.Join(d.Dir, entry.Name())
		if slices.Contains(disabled, name) {
			if err := d.withdraw(place); err != nil {
				return err
			}
			continue
		}
		text, err := own.ReadFile("manifests/" + entry.Name())
		if err != nil {
			return err
		}
		content := string(text)
		for key, value := range d.Values {
			content = strings.ReplaceAll(content, "%{"+key+"}%", value)
		}
		if err := pki.Write(place, []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// withdraw removes what an addon made that was not disabled before.
func (d Deployer) withdraw(place string) error {
	if _, err := os.Stat(place); err != nil {
		return nil
	}
	if _, err := d.kubectl(context.Background(), "delete", "--ignore-not-found", "--wait=false", "-f", place); err != nil {
		return err
	}
	return os.Remove(place)
}

// Run applies each file when it is new or has changed; one that fails is tried again when others are looked at.
func (d Deployer) Run(ctx context.Context) {
	applied := map[string]string{}
	complained := map[string]string{}
	for {
		for _, file := range d.files() {
			mark, err := markOf(file)
			if err != nil || applied[file] == mark {
				continue
			}
			if _, err := d.kubectl(ctx, "apply", "--server-side", "--force-conflicts",
				"--field-manager=k3s-deploy", "-f", file); err == nil {
				log.Printf("Applied %s", file)
				applied[file] = mark
			} else if ctx.Err() == nil && complained[file] != err.Error() {
				log.Printf("Failed to apply %s: %v", file, err)
				complained[file] = err.Error()
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookEvery):
		}
	}
}

func (d Deployer) files() []string {
	var files []string
	for _, pattern := range []string{"*.yaml", "*.yml", "*.json"} {
		found, _ := filepath.Glob(filepath.Join(d.Dir, pattern)) // the pattern is a good one
		files = append(files, found...)
	}
	return slices.DeleteFunc(files, func(file string) bool {
		_, err := os.Stat(file + ".skip")
		return err == nil
	})
}

func (d Deployer) kubectl(ctx context.Context, arguments ...string) (string, error) {
	return d.Children.Output(ctx, nil, "kubectl", append([]string{"--kubeconfig=" + d.Kubeconfig}, arguments...)...)
}

func markOf(file string) (string, error) {
	state, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d %s", state.Size(), state.ModTime()), nil
}
