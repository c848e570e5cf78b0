package supervisor

import (
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"path/filepath"

	"coldstorage.local/lab/k3s/internal/datastore"
	"coldstorage.local/lab/k3s/internal/pki"
	"coldstorage.local/lab/k3s/internal/token"
)

// rotateToken has the cluster's secrets encrypted with another token, which servers need from then on.
func (s *Supervisor) rotateToken(r *http.Request) (any, error) {
	var body struct{ NewToken string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, err
	}
	wanted, err := token.Parse(body.NewToken, token.Server)
	if err != nil {
		return nil, err
	}
	client, err := s.Store.Client()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	shared, err := datastore.ReadShared(s.ServerDir)
	if err != nil {
		return nil, err
	}
	if err := datastore.SaveShared(r.Context(), client, shared, wanted.Password); err != nil {
		return nil, err
	}
	s.mutex.RLock()
	server, agent := s.passwords[token.Server], s.passwords[token.Node]
	s.mutex.RUnlock()
	if agent == server {
		agent = wanted.Password
	}
	s.SetPasswords(wanted.Password, agent)
	log.Print("Token rotated: restart the other servers with the new one")
	return "rotated", WriteTokens(s.ServerDir, s.Cluster.Server.PEM, wanted.Password, agent)
}

// WriteTokens writes the files server/token, node-token and agent-token.
func WriteTokens(serverDir string, authority []byte, server, agent string) error {
	digest := token.Digest(authority)
	full := token.Token{Digest: digest, User: token.Server, Password: server}.String() + "\n"
	node := token.Token{Digest: digest, User: token.Node, Password: agent}.String() + "\n"
	return errors.Join(
		pki.Write(filepath.Join(serverDir, "token"), []byte(full), 0o600),
		pki.Write(filepath.Join(serverDir, "node-token"), []byte(full), 0o600),
		pki.Write(filepath.Join(serverDir, "agent-token"), []byte(node), 0o600),
	)
}
