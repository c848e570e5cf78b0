package datastore

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"coldstorage.local/lab/k3s/internal/pki"
	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	bootstrapPrefix = "/bootstrap/"
	saltSize        = 16
	rounds          = 4096 // as K3s; tokens that we make have 128 bits anyway
)

// SharedFiles are what all servers must have in common, from the folder server.
var SharedFiles = append([]string{"cred/encryption-config.json"}, pki.AuthorityFiles...)

// Shared holds the content of SharedFiles by name.
type Shared map[string][]byte

// ReadShared returns what of SharedFiles this server has.
func ReadShared(serverDir string) (Shared, error) {
	shared := Shared{}
	for _, name := range SharedFiles {
		content, err := os.ReadFile(filepath.Join(serverDir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		shared[name] = content
	}
	return shared, nil
}

// WriteTo writes the files; one that differs is the cluster's word against this server's.
func (s Shared) WriteTo(serverDir string) error {
	for _, name := range SharedFiles {
		content, ok := s[name]
		if !ok {
			continue
		}
		mode := os.FileMode(0o600)
		if strings.HasSuffix(name, ".crt") {
			mode = 0o644
		}
		if err := pki.Write(filepath.Join(serverDir, name), content, mode); err != nil {
			return err
		}
	}
	return nil
}

// SaveShared puts the files into etcd, encrypted with the token, so that a snapshot holds them.
func SaveShared(ctx context.Context, client *clientv3.Client, shared Shared, token string) error {
	plain, err := json.Marshal(shared)
	if err != nil {
		return err
	}
	sealed, err := seal(plain, token)
	if err != nil {
		return err
	}
	key := bootstrapKey(token)
	old, err := client.Get(ctx, bootstrapPrefix, clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		return err
	}
	changes := []clientv3.Op{clientv3.OpPut(key, string(sealed))}
	for _, pair := range old.Kvs {
		if string(pair.Key) != key {
			changes = append(changes, clientv3.OpDelete(string(pair.Key)))
		}
	}
	_, err = client.Txn(ctx).Then(changes...).Commit()
	return err
}

// FetchShared returns the files from etcd; none if there are none yet.
func FetchShared(ctx context.Context, client *clientv3.Client, token string) (Shared, error) {
	found, err := client.Get(ctx, bootstrapPrefix, clientv3.WithPrefix())
	if err != nil || len(found.Kvs) == 0 {
		return nil, err
	}
	for _, pair := range found.Kvs {
		if string(pair.Key) != bootstrapKey(token) {
			continue
		}
		plain, err := open(pair.Value, token)
		if err != nil {
			return nil, err
		}
		var shared Shared
		return shared, json.Unmarshal(plain, &shared)
	}
	return nil, errors.New("bootstrap data already found and encrypted with different token: " +
		"expected the token that the cluster was made with")
}

func bootstrapKey(token string) string {
	sum := sha256.Sum256([]byte(token))
	return fmt.Sprintf("%s%x", bootstrapPrefix, sum[:6])
}

func seal(plain []byte, token string) ([]byte, error) {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt)
	gcm, err := lock(token, salt)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, gcm.NonceSize())
	_, _ = rand.Read(nonce)
	return gcm.Seal(append(salt, nonce...), nonce, plain, nil), nil
}

func open(sealed []byte, token string) ([]byte, error) {
	if len(sealed) < saltSize {
		return nil, errors.New("bootstrap data is cut off")
	}
	gcm, err := lock(token, sealed[:saltSize])
	if err != nil {
		return nil, err
	}
	rest := sealed[saltSize:]
	if len(rest) < gcm.NonceSize() {
		return nil, errors.New("bootstrap data is cut off")
	}
	return gcm.Open(nil, rest[:gcm.NonceSize()], rest[gcm.NonceSize():], nil)
}

func lock(token string, salt []byte) (cipher.AEAD, error) {
	key, err := pbkdf2.Key(sha256.New, token, salt, rounds, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
