// Package token knows K3s's tokens: K10<digest of the cluster's CA>::<user>:<password>, or a bare password.
package token

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
)

const (
	// Server is the user of who may become a server.
	Server = "server"
	// Node is the user of who may join as an agent.
	Node = "node"

	prefix = "K10"
)

// Token is what a node shows to be let in.
type Token struct {
	// Digest is of the CA that the cluster must have; empty means that any is believed.
	Digest   string
	User     string
	Password string
}

// Parse takes a token apart.
func Parse(text, defaultUser string) (Token, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Token{}, fmt.Errorf("token: expected one (--token, --token-file or K3S_TOKEN)")
	}
	rest, full := strings.CutPrefix(text, prefix)
	digest, secret, cut := strings.Cut(rest, "::")
	if !full || !cut {
		return Token{User: defaultUser, Password: text}, nil
	}
	if _, err := hex.DecodeString(digest); err != nil || len(digest) != 2*sha256.Size {
		return Token{}, fmt.Errorf("token: expected %s and %d hexadecimal digits before ::",
			prefix, 2*sha256.Size)
	}
	user, password, cut := strings.Cut(secret, ":")
	if !cut {
		user, password = defaultUser, secret
	}
	return Token{Digest: digest, User: user, Password: password}, nil
}

// Digest returns what tokens call a CA.
func Digest(ca []byte) string {
	sum := sha256.Sum256(ca)
	return hex.EncodeToString(sum[:])
}

// String returns the token in full.
func (t Token) String() string {
	return prefix + t.Digest + "::" + t.User + ":" + t.Password
}

// Random returns a password that nobody can guess.
func Random() string {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails: it ends the process instead
	return hex.EncodeToString(raw)
}

// Given returns a token that was given as it is or as a file; an empty one if neither was.
func Given(text, file string) (string, error) {
	if text != "" || file == "" {
		return strings.TrimSpace(text), nil
	}
	content, err := os.ReadFile(file)
	return strings.TrimSpace(string(content)), err
}
