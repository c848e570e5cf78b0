package edge

import (
	"log/slog"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// A proxied name has this time to live at Cloudflare, whatever its record says.
const ttl = 300

// Names answers look-ups as Cloudflare's DNS does: a proxied name is an address of the edge, and
// where it leads nobody learns. No other name exists, in the zone or outside of it.
func (w *Watcher) Names(conn net.PacketConn, edge netip.Addr) error {
	question := make([]byte, 512)
	for {
		length, from, err := conn.ReadFrom(question)
		if err != nil {
			return err
		}
		answer, err := w.answered(question[:length], edge)
		if err != nil {
			slog.Debug("no look-up", "from", from.String(), "error", err)
			continue
		}
		if _, err := conn.WriteTo(answer, from); err != nil {
			slog.Debug("nobody hears the answer", "to", from.String(), "error", err)
		}
	}
}

func (w *Watcher) answered(message []byte, edge netip.Addr) ([]byte, error) {
	var parser dnsmessage.Parser
	header, err := parser.Start(message)
	if err != nil {
		return nil, err
	}
	question, err := parser.Question()
	if err != nil {
		return nil, err
	}
	world, err := w.World()
	if err != nil {
		return nil, err
	}
	answer := dnsmessage.Message{
		Header: dnsmessage.Header{
			ID: header.ID, Response: true, Authoritative: true,
			RecursionDesired: header.RecursionDesired, RecursionAvailable: true,
			RCode: dnsmessage.RCodeNameError,
		},
		Questions: []dnsmessage.Question{question},
	}
	if name := strings.TrimSuffix(question.Name.String(), "."); world.Tunnel(strings.ToLower(name)) != "" {
		answer.RCode = dnsmessage.RCodeSuccess
		if question.Type == dnsmessage.TypeA && edge.Is4() {
			answer.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{
					Name: question.Name, Class: dnsmessage.ClassINET, TTL: ttl,
				},
				Body: &dnsmessage.AResource{A: edge.As4()},
			}}
		}
	}
	return answer.Pack()
}
