// Package edge is Cloudflare's edge as far as a request needs it: DNS record, access, tunnel,
// connector, service. It reads the records of the lab's Cloudflare, and what changes there takes
// effect with the next request.
package edge

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
)

const tunnelDomain = ".cfargotunnel.com"

// World is what Cloudflare knows.
type World struct {
	zones        map[string]zone
	dns          map[string]dnsRecord
	tunnels      map[string]tunnelRecord
	configs      map[string]tunnelConfig
	applications map[string]application
	policies     map[string]policy
	groups       map[string]group
	tokens       map[string]serviceToken
}

type zone struct{ Name string }

type dnsRecord struct {
	ZoneID, Name, Type, Content string
	Proxied                     bool
}

type tunnelRecord struct {
	Secret string `json:"_secret"`
}

type tunnelConfig struct {
	Config struct {
		Ingresses     []Rule
		OriginRequest map[string]any
	}
}

// Rule says which requests of a tunnel go to which service.
type Rule struct {
	Hostname, Path, Service string
	OriginRequest           map[string]any
}

type serviceToken struct{ ClientID, ClientSecret string }

// Watcher keeps a World as new as the file that it is read from.
type Watcher struct {
	file  string
	mutex sync.Mutex
	world *World
	read  os.FileInfo
}

// Watch returns a watcher of the file in which the lab's Cloudflare keeps its records.
func Watch(file string) *Watcher { return &Watcher{file: file} }

// World returns what Cloudflare knows now.
func (w *Watcher) World() (*World, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	info, err := os.Stat(w.file)
	if err != nil {
		return nil, err
	}
	if w.world == nil || !unchanged(w.read, info) {
		text, err := os.ReadFile(w.file)
		if err != nil {
			return nil, err
		}
		world, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.file, err)
		}
		w.world, w.read = world, info
	}
	return w.world, nil
}

// unchanged knows that the file is replaced as a whole, and that times are coarse.
func unchanged(before, now os.FileInfo) bool {
	return os.SameFile(before, now) && before.Size() == now.Size() &&
		before.ModTime().Equal(now.ModTime())
}

type document struct {
	Records map[string]map[string]struct{ Outputs json.RawMessage }
}

func parse(text []byte) (*World, error) {
	var all document
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	w := &World{}
	for _, read := range []error{
		collect(all, "Zone", &w.zones),
		collect(all, "DnsRecord", &w.dns),
		collect(all, "ZeroTrustTunnelCloudflared", &w.tunnels),
		collect(all, "ZeroTrustTunnelCloudflaredConfig", &w.configs),
		collect(all, "ZeroTrustAccessApplication", &w.applications),
		collect(all, "ZeroTrustAccessPolicy", &w.policies),
		collect(all, "ZeroTrustAccessGroup", &w.groups),
		collect(all, "ZeroTrustAccessServiceToken", &w.tokens),
	} {
		if read != nil {
			return nil, read
		}
	}
	return w, nil
}

func collect[T any](all document, kind string, into *map[string]T) error {
	*into = map[string]T{}
	for id, record := range all.Records[kind] {
		var value T
		if err := json.Unmarshal(record.Outputs, &value); err != nil {
			return fmt.Errorf("%s %s: %w", kind, id, err)
		}
		(*into)[id] = value
	}
	return nil
}

// Tunnel returns the tunnel that the proxied record of a host points at, or nothing.
func (w *World) Tunnel(host string) string {
	_, domain, _ := strings.Cut(host, ".")
	for _, name := range []string{host, "*." + domain} {
		for _, record := range w.dns {
			if record.Proxied && record.Type == "CNAME" && strings.EqualFold(w.full(record), name) {
				if id, is := strings.CutSuffix(record.Content, tunnelDomain); is {
					return id
				}
			}
		}
	}
	return ""
}

// full returns a record's name with its zone's, however it was written.
func (w *World) full(record dnsRecord) string {
	domain := w.zones[record.ZoneID].Name
	switch {
	case record.Name == "@":
		return domain
	case record.Name == domain || strings.HasSuffix(record.Name, "."+domain):
		return record.Name
	}
	return record.Name + "." + domain
}

// Rule returns what a tunnel does with a request, or nothing where it has no configuration.
func (w *World) Rule(tunnel, host, path string) *Rule {
	config := w.configs[tunnel].Config
	for _, rule := range config.Ingresses {
		if hostMatches(rule.Hostname, host) && pathMatches(rule.Path, path) {
			merged := map[string]any{}
			for _, settings := range []map[string]any{config.OriginRequest, rule.OriginRequest} {
				for name, value := range settings {
					merged[name] = value
				}
			}
			rule.OriginRequest = merged
			return &rule
		}
	}
	return nil
}

func hostMatches(pattern, host string) bool {
	if suffix, wild := strings.CutPrefix(pattern, "*"); wild {
		return strings.HasSuffix(strings.ToLower(host), strings.ToLower(suffix))
	}
	return pattern == "" || strings.EqualFold(pattern, host)
}

// pathMatches takes the pattern as a regular expression, as cloudflared does.
func pathMatches(pattern, path string) bool {
	if pattern == "" {
		return true
	}
	expression, err := regexp.Compile(pattern)
	return err == nil && expression.MatchString(path)
}
