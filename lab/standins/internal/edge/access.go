package edge

import (
	"cmp"
	"crypto/subtle"
	"net/netip"
	"slices"
	"strings"
)

type application struct {
	Aud, Domain, SessionDuration string
	SelfHostedDomains            []string
	Policies                     []policy
	ServiceAuth401Redirect       bool
}

// policy is one of an application's own, or an id of one that several share.
type policy struct {
	ID, Decision, Name           string
	Precedence                   int
	Includes, Excludes, Requires []selector
}

type group struct{ Includes, Excludes, Requires []selector }

// selector is one condition: its kind, and what is asked for.
type selector map[string]map[string]any

// Visitor is what the edge knows of who asks.
type Visitor struct {
	Email   string
	Token   string // id of a service token that was shown and is valid
	Address netip.Addr
}

// Verdict is what becomes of a request.
type Verdict int

// The verdicts on a request.
const (
	Forbid Verdict = iota
	Login
	Pass
	PassUnseen // past access, with no identity for the origin
)

// Application returns what protects a request, the most specific one; or nothing.
func (w *World) Application(host, path string) *application {
	var best *application
	longest := -1
	for _, app := range w.applications {
		for _, domain := range append(app.SelfHostedDomains, app.Domain) {
			name, below, _ := strings.Cut(domain, "/")
			if hostMatches(name, host) && covers(below, path) && len(domain) > longest && name != "" {
				best, longest = &app, len(domain)
			}
		}
	}
	return best
}

// covers tells whether a path is the one that is protected, or below it.
func covers(protected, path string) bool {
	prefix := "/" + strings.TrimRight(protected, "/*")
	return prefix == "/" || path == prefix || strings.HasPrefix(path, prefix+"/")
}

// Judge says whether a visitor may pass: first what needs no identity, then allow and deny in order.
func (w *World) Judge(app *application, visitor Visitor) Verdict {
	policies := w.policiesOf(app)
	for _, policy := range policies {
		if policy.Decision == "bypass" && w.applies(policy, visitor) {
			return PassUnseen
		}
		if policy.Decision == "non_identity" && visitor.Token != "" && w.applies(policy, visitor) {
			return Pass
		}
	}
	people := false
	for _, policy := range policies {
		if policy.Decision != "allow" && policy.Decision != "deny" {
			continue
		}
		people = true
		if visitor.Email != "" && w.applies(policy, visitor) {
			if policy.Decision == "allow" {
				return Pass
			}
			return Forbid
		}
	}
	if people && visitor.Email == "" && visitor.Token == "" {
		return Login
	}
	return Forbid
}

func (w *World) policiesOf(app *application) []policy {
	var found []policy
	for _, own := range app.Policies {
		if shared, is := w.policies[own.ID]; is {
			shared.Precedence = own.Precedence
			own = shared
		}
		found = append(found, own)
	}
	slices.SortStableFunc(found, func(a, b policy) int { return cmp.Compare(a.Precedence, b.Precedence) })
	return found
}

func (w *World) applies(p policy, visitor Visitor) bool {
	return w.within(group{p.Includes, p.Excludes, p.Requires}, visitor)
}

func (w *World) within(g group, visitor Visitor) bool {
	is := func(s selector) bool { return w.matches(s, visitor) }
	isNot := func(s selector) bool { return !is(s) }
	return slices.ContainsFunc(g.Includes, is) && !slices.ContainsFunc(g.Requires, isNot) &&
		!slices.ContainsFunc(g.Excludes, is)
}

// matches knows the conditions below; every other one is not met.
func (w *World) matches(s selector, visitor Visitor) bool {
	for kind, asked := range s {
		text := func(name string) string { value, _ := asked[name].(string); return value }
		met := false
		switch kind {
		case "everyone":
			met = true
		case "email":
			met = visitor.Email != "" && strings.EqualFold(text("email"), visitor.Email)
		case "emailDomain":
			_, domain, found := strings.Cut(visitor.Email, "@")
			met = found && strings.EqualFold(text("domain"), domain)
		case "serviceToken":
			met = visitor.Token != "" && text("tokenId") == visitor.Token
		case "anyValidServiceToken":
			met = visitor.Token != ""
		case "ip":
			met = contains(text("ip"), visitor.Address)
		case "group":
			g, known := w.groups[text("id")]
			met = known && w.within(g, visitor)
		}
		if !met {
			return false
		}
	}
	return len(s) > 0
}

func contains(network string, address netip.Addr) bool {
	if prefix, err := netip.ParsePrefix(network); err == nil {
		return prefix.Contains(address)
	}
	single, err := netip.ParseAddr(network)
	return err == nil && single == address
}

// ServiceToken returns the id of the service token with these credentials, or nothing.
func (w *World) ServiceToken(id, secret string) string {
	for key, token := range w.tokens {
		if token.ClientID == id && id != "" &&
			subtle.ConstantTimeCompare([]byte(token.ClientSecret), []byte(secret)) == 1 {
			return key
		}
	}
	return ""
}
