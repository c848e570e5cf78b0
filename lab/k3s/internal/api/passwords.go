package api

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// ErrNodePassword says that another machine has been the node of this name.
var ErrNodePassword = errors.New("Node password rejected, duplicate hostname or contents of " +
	"'/etc/rancher/node/password' may not match server node-passwd entry, try enabling a unique " +
	"node name with the --with-node-id flag")

const passwordRounds = 10000

// VerifyNodePassword has a node's name belong to who first came with it, until the node is deleted.
func (c *Client) VerifyNodePassword(ctx context.Context, node, password string) error {
	path := "/api/v1/namespaces/kube-system/secrets"
	name := node + ".node-password.k3s"
	var secret struct{ Data map[string][]byte }
	err := c.Get(ctx, path+"/"+name, &secret)
	if err == nil {
		err = matches(string(secret.Data["hash"]), password)
		if !errors.Is(err, ErrNodePassword) || c.hasNode(ctx, node) {
			return err
		}
		_, err = c.Do(ctx, http.MethodDelete, path+"/"+name, nil)
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	hash, err := hashed(password)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "immutable": true,
		"metadata": map[string]string{"name": name},
		"data":     map[string][]byte{"hash": []byte(hash)},
	})
	if err != nil {
		return err
	}
	_, err = c.Do(ctx, http.MethodPost, path, body)
	return err
}

// hasNode tells whether a node of that name exists; if that cannot be known, it does.
func (c *Client) hasNode(ctx context.Context, node string) bool {
	_, err := c.Do(ctx, http.MethodGet, "/api/v1/nodes/"+node, nil)
	return !errors.Is(err, ErrNotFound)
}

func hashed(password string) (string, error) {
	salt := make([]byte, 8)
	_, _ = rand.Read(salt)
	key, err := pbkdf2.Key(sha256.New, password, salt, passwordRounds, 32)
	return fmt.Sprintf("%x:%x", salt, key), err
}

func matches(hash, password string) error {
	text, wanted, _ := strings.Cut(hash, ":")
	salt, err := hex.DecodeString(text)
	if err != nil {
		return err
	}
	key, err := pbkdf2.Key(sha256.New, password, salt, passwordRounds, 32)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(hex.EncodeToString(key)), []byte(wanted)) != 1 {
		return ErrNodePassword
	}
	return nil
}
