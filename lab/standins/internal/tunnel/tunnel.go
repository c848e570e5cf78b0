// Package tunnel is what a connector and the edge say to each other. The connector dials out and
// says who it is; from then on the edge asks over the connection, in HTTP/2, and it answers.
//
// The lab's own protocol, not Cloudflare's.
package tunnel

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// Protocol is what TLS calls the connection of a connector.
const Protocol = "lab-tunnel"

// Headers of a request from the edge to a connector, besides those of the visitor.
const (
	// Service names the origin, as an ingress rule does.
	Service = "Lab-Tunnel-Service"
	// Origin holds the rule's originRequest, as JSON.
	Origin = "Lab-Tunnel-Origin"
	// Upgrade says that the bodies are the two directions of this protocol.
	Upgrade = "Lab-Tunnel-Upgrade"
	// Fault says, in an answer, that it comes from the connector because the origin gave none.
	Fault = "Lab-Tunnel-Fault"
)

const greetingTime = 10 * time.Second

// Credentials are what a tunnel's token holds.
type Credentials struct {
	Account string `json:"a"`
	Tunnel  string `json:"t"`
	Secret  string `json:"s"`
}

// ParseToken reads a token as `cloudflared tunnel run --token` takes it.
func ParseToken(token string) (Credentials, error) {
	var credentials Credentials
	document, err := base64.StdEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(document, &credentials)
	}
	if err != nil || credentials.Tunnel == "" || credentials.Secret == "" {
		return Credentials{}, errors.New("provided Tunnel token is not valid")
	}
	return credentials, nil
}

// Hello is what a connector says first.
type Hello struct {
	Credentials Credentials
	Connector   string // one id for all connections of a process
	Index       int
}

// Welcome is what the edge answers.
type Welcome struct {
	Error    string
	Location string
}

// Greet says who a connector is, and returns where it is now connected to.
func Greet(conn net.Conn, hello Hello) (string, error) {
	var welcome Welcome
	if err := exchange(conn, func() error {
		if err := write(conn, hello); err != nil {
			return err
		}
		return read(conn, &welcome)
	}); err != nil {
		return "", err
	}
	if welcome.Error != "" {
		return "", errors.New(welcome.Error)
	}
	return welcome.Location, nil
}

// Receive reads who a connector is, and tells it what `admit` says of it.
func Receive(conn net.Conn, location string, admit func(Hello) error) (Hello, error) {
	var hello Hello
	err := exchange(conn, func() error {
		if err := read(conn, &hello); err != nil {
			return err
		}
		if refusal := admit(hello); refusal != nil {
			return errors.Join(refusal, write(conn, Welcome{Error: refusal.Error()}))
		}
		return write(conn, Welcome{Location: location})
	})
	return hello, err
}

func exchange(conn net.Conn, talk func() error) error {
	if err := conn.SetDeadline(time.Now().Add(greetingTime)); err != nil {
		return err
	}
	if err := talk(); err != nil {
		return err
	}
	return conn.SetDeadline(time.Time{})
}

func write(conn net.Conn, message any) error {
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	_, err = conn.Write(append(text, '\n'))
	return err
}

// read takes one line and not a byte more, since HTTP/2 follows it.
func read(conn net.Conn, message any) error {
	var line []byte
	for next := make([]byte, 1); len(line) < 1<<16; line = append(line, next[0]) {
		if _, err := io.ReadFull(conn, next); err != nil {
			return err
		}
		if next[0] == '\n' {
			return json.Unmarshal(line, message)
		}
	}
	return fmt.Errorf("the greeting is longer than %d bytes", 1<<16)
}
