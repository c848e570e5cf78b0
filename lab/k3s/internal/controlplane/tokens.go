package controlplane

import (
	"errors"
	"path/filepath"

	"coldstorage.local/lab/k3s/internal/options"
	"coldstorage.local/lab/k3s/internal/token"
)

// tokens finds the passwords of servers and agents: those given, else those kept, else new ones.
func (s *Server) tokens() error {
	given, errS := token.Given(s.options.Text("token"), s.options.Text("token-file"))
	agent, errA := token.Given(s.options.Text("agent-token"), s.options.Text("agent-token-file"))
	if err := errors.Join(errS, errA); err != nil {
		return err
	}
	kept := filepath.Join(s.dir, "token")
	if given == "" {
		given = trimmed(kept)
	}
	if given == "" && s.options.Text("server") == "" {
		given = token.Random()
	}
	parsed, err := token.Parse(given, token.Server)
	if err != nil {
		return err
	}
	s.password, s.agent = parsed.Password, parsed.Password
	if agent == "" {
		agent = trimmed(filepath.Join(s.dir, "agent-token"))
	}
	if agent == "" {
		return nil
	}
	parsed, err = token.Parse(agent, token.Node)
	s.agent = parsed.Password
	return err
}

// Password returns the password of servers, from the options or from the server's own file.
func Password(o *options.Options) (string, error) {
	given, err := token.Given(o.Text("token"), o.Text("token-file"))
	if err != nil {
		return "", err
	}
	if given == "" {
		given = trimmed(filepath.Join(o.Text("data-dir"), "server/token"))
	}
	parsed, err := token.Parse(given, token.Server)
	return parsed.Password, err
}
