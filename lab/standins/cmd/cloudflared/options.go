package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"coldstorage.local/lab/standins/internal/tunnel"
)

// Flags of the real one that change nothing here.
var (
	ignoredTexts = []string{
		"autoupdate-freq", "config", "edge-bind-address", "edge-ip-version", "icmpv4-src", "icmpv6-src",
		"label", "logdirectory", "logfile", "origincert", "output", "pidfile", "protocol", "region",
		"retries", "max-edge-addr-retries", "tag", "transport-loglevel", "dns-resolver-addrs",
		"metrics-update-freq", "write-stream-timeout", "rpc-timeout", "features",
	}
	ignoredSwitches = []string{
		"no-autoupdate", "no-prechecks", "post-quantum", "quic-disable-pmtu-discovery",
		"management-diagnostics", "is-autoupdated", "no-update-service",
	}
	errHelp = errors.New("help was asked for")
)

type options struct {
	command     string
	metrics     string
	edge        string
	credentials tunnel.Credentials
	connections int
	grace       time.Duration
	level       slog.Level
}

// parse reads `tunnel [flags] run [flags]`, `tunnel ready` and `version`.
func parse(arguments []string) (options, error) {
	o := options{edge: os.Getenv("LAB_EDGE")}
	flags := flag.NewFlagSet("cloudflared", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintf(os.Stderr, "%s\n\n  cloudflared tunnel [flags] run [--token TOKEN]\n"+
			"  cloudflared tunnel ready --metrics ADDRESS\n  cloudflared version\n\n"+
			"LAB_EDGE=HOST:PORT says where the lab's edge is, SSL_CERT_FILE who signs for it.\n", banner)
		flags.PrintDefaults()
	}
	token := flags.String("token", os.Getenv("TUNNEL_TOKEN"), "the tunnel's token")
	file := flags.String("token-file", os.Getenv("TUNNEL_TOKEN_FILE"), "file with the tunnel's token")
	level := flags.String("loglevel", or(os.Getenv("TUNNEL_LOGLEVEL"), "info"), "debug, info, warn, error or fatal")
	shown := flags.Bool("version", false, "print the version")
	flags.StringVar(&o.metrics, "metrics", os.Getenv("TUNNEL_METRICS"), "where /ready and /metrics are")
	flags.IntVar(&o.connections, "ha-connections", 4, "connections to the edge")
	grace := flags.String("grace-period", or(os.Getenv("TUNNEL_GRACE_PERIOD"), "30s"), "how long requests may take after SIGTERM")
	for _, name := range ignoredTexts {
		flags.String(name, "", "taken, without effect")
	}
	for _, name := range ignoredSwitches {
		flags.Bool(name, false, "taken, without effect")
	}
	words, err := wordsOf(flags, arguments)
	if errors.Is(err, flag.ErrHelp) {
		return o, errHelp
	}
	if err != nil {
		return o, err
	}
	if o.command = strings.Join(words, " "); *shown || o.command == "version" {
		o.command = "version"
		return o, nil
	}
	if err := o.level.UnmarshalText([]byte(strings.Replace(*level, "fatal", "error", 1))); err != nil {
		return o, fmt.Errorf("--loglevel: %w", err)
	}
	if o.grace, err = time.ParseDuration(*grace); err != nil {
		return o, fmt.Errorf("--grace-period: %w", err)
	}
	return o.complete(words, *token, *file)
}

// wordsOf parses flags wherever they are, and returns what is no flag.
func wordsOf(flags *flag.FlagSet, arguments []string) ([]string, error) {
	var words []string
	for len(arguments) > 0 {
		if err := flags.Parse(arguments); err != nil {
			return nil, err
		}
		if arguments = flags.Args(); len(arguments) > 0 {
			words, arguments = append(words, arguments[0]), arguments[1:]
		}
	}
	return words, nil
}

func (o options) complete(words []string, token, file string) (options, error) {
	if slices.Equal(words, []string{"tunnel", "ready"}) {
		o.command = "ready"
		return o, nil
	}
	if len(words) < 2 || words[0] != "tunnel" || words[1] != "run" {
		return o, fmt.Errorf("the stand-in knows tunnel run, tunnel ready and version; got %q", words)
	}
	if token == "" && file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return o, fmt.Errorf("--token-file: %w", err)
		}
		token = strings.TrimSpace(string(text))
	}
	if o.edge == "" {
		return o, errors.New("LAB_EDGE must say where the lab's edge is, as HOST:PORT")
	}
	var err error
	o.credentials, err = tunnel.ParseToken(token)
	return o, err
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
