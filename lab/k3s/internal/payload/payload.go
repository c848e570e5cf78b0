// Package payload unpacks the programs that this file carries behind its own code, as a zip archive.
package payload

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Payload is what the archive's comment says of it.
type Payload struct {
	// Version is K3s's, such as v1.33.4+k3s1.
	Version string `json:"version"`
	// Digest names the folder that it is unpacked to.
	Digest string `json:"digest"`
	// Made lists what is in it, by name.
	Made map[string]string `json:"made"`
}

// Read returns what this program carries.
func Read() (Payload, error) {
	var p Payload
	archive, err := open()
	if err != nil {
		return p, err
	}
	defer archive.Close()
	err = json.Unmarshal([]byte(archive.Comment), &p)
	return p, err
}

// Unpack has the programs under data/<digest> and returns their folder; only the first call works.
func (p Payload) Unpack(dataDir string) (string, error) {
	data := filepath.Join(dataDir, "data")
	folder := filepath.Join(data, p.Digest)
	if _, err := os.Stat(folder); err != nil {
		partial, err := os.MkdirTemp(makeFolder(data), "partial-")
		if err != nil {
			return "", err
		}
		defer os.RemoveAll(partial)
		if err := unpackTo(partial); err != nil {
			return "", err
		}
		if err := os.Chmod(partial, 0o755); err != nil {
			return "", err
		}
		if err := os.Rename(partial, folder); err != nil && !isFolder(folder) {
			return "", err
		}
	}
	return filepath.Join(folder, "bin"), pointTo(folder, filepath.Join(data, "current"))
}

func open() (*zip.ReadCloser, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	archive, err := zip.OpenReader(self)
	if err != nil {
		return nil, fmt.Errorf("%s carries no programs: %w", self, err)
	}
	return archive, nil
}

func makeFolder(folder string) string {
	_ = os.MkdirAll(folder, 0o755) // who uses it says what is wrong with it
	return folder
}

func isFolder(path string) bool {
	state, err := os.Stat(path)
	return err == nil && state.IsDir()
}

func pointTo(folder, link string) error {
	if old, err := os.Readlink(link); err == nil && old == folder {
		return nil
	} else if err == nil {
		_ = os.Remove(filepath.Join(filepath.Dir(link), "previous"))
		_ = os.Symlink(old, filepath.Join(filepath.Dir(link), "previous"))
	}
	fresh := link + ".new"
	_ = os.Remove(fresh)
	if err := os.Symlink(folder, fresh); err != nil {
		return err
	}
	return os.Rename(fresh, link)
}

func unpackTo(folder string) error {
	archive, err := open()
	if err != nil {
		return err
	}
	defer archive.Close()
	for _, file := range archive.File {
		path := filepath.Join(folder, file.Name)
		if strings.HasSuffix(file.Name, "/") || !filepath.IsLocal(file.Name) {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := unpackOne(file, path); err != nil {
			return fmt.Errorf("%s: %w", file.Name, err)
		}
	}
	return nil
}

func unpackOne(file *zip.File, path string) error {
	content, err := file.Open()
	if err != nil {
		return err
	}
	defer content.Close()
	if file.Mode()&os.ModeSymlink != 0 {
		target, err := io.ReadAll(content)
		if err != nil {
			return err
		}
		return os.Symlink(string(target), path)
	}
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, file.Mode().Perm())
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, content); err != nil { // the archive's checksums are checked here
		out.Close()
		return err
	}
	// A machine that loses its power must not come back with half a program.
	return errors.Join(out.Sync(), out.Close())
}
