package options

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"
)

// DefaultConfig is K3s's configuration file; its .d folder is read after it.
const DefaultConfig = "/etc/rancher/k3s/config.yaml"

func configFile(flags map[string][]string) string {
	if files := flags["config"]; len(files) > 0 {
		return files[len(files)-1]
	}
	if file := os.Getenv("K3S_CONFIG_FILE"); file != "" {
		return file
	}
	return DefaultConfig
}

// readFiles merges the file and those of its .d folder: the last word counts, "name+" appends.
func readFiles(first string) (map[string][]string, error) {
	more, err := filepath.Glob(first + ".d/*.y*ml") // sorted by name
	if err != nil {
		return nil, err
	}
	merged := map[string][]string{}
	var faults []error
	for _, file := range append([]string{first}, more...) {
		faults = append(faults, readFile(file, merged))
	}
	return merged, errors.Join(faults...)
}

func readFile(file string, merged map[string][]string) error {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var content map[string]any
	if err := yaml.Unmarshal(text, &content); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for name, value := range content {
		values := words(value)
		if plain, appends := strings.CutSuffix(name, "+"); appends {
			merged[plain] = append(merged[plain], values...)
			continue
		}
		merged[name] = values
	}
	return nil
}

func words(value any) []string {
	switch value := value.(type) {
	case nil:
		return nil
	case []any:
		var all []string
		for _, item := range value {
			all = append(all, words(item)...)
		}
		return all
	default:
		return []string{fmt.Sprint(value)}
	}
}
