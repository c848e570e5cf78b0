package edge

import (
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/http"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	cookie       = "CF_Authorization"
	assertion    = "Cf-Access-Jwt-Assertion"
	emailHeader  = "Cf-Access-Authenticated-User-Email"
	accessToken  = "Cf-Access-Token"
	clientID     = "Cf-Access-Client-Id"
	clientSecret = "Cf-Access-Client-Secret"

	issuer = "https://lab.cloudflareaccess.com"
	keyID  = "lab"
)

// claims are what a token of the lab's says of its holder.
type claims struct {
	jwt.RegisteredClaims
	Email      string `json:"email,omitempty"`
	CommonName string `json:"common_name,omitempty"`
	Kind       string `json:"type"`

	signed, token string
}

// identity returns who a request comes from, by its service token or by its JWT; or nothing.
func (e *Edge) identity(r *http.Request, world *World, app *application) *claims {
	id := r.Header.Get(clientID)
	if token := world.ServiceToken(id, r.Header.Get(clientSecret)); token != "" {
		made := e.sign(app, claims{CommonName: id, token: token})
		return &made
	}
	shown := r.Header.Get(accessToken)
	if found, err := r.Cookie(cookie); err == nil {
		shown = found.Value
	}
	return e.verified(shown, app)
}

func (e *Edge) verified(shown string, app *application) *claims {
	var found claims
	_, err := jwt.ParseWithClaims(shown, &found,
		func(*jwt.Token) (any, error) { return &e.Key.PublicKey, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(issuer),
		jwt.WithAudience(app.Aud), jwt.WithExpirationRequired())
	if err != nil {
		return nil
	}
	found.signed = shown
	return &found
}

func (e *Edge) sign(app *application, who claims) claims {
	lasts, err := time.ParseDuration(app.SessionDuration)
	if err != nil {
		lasts = 24 * time.Hour
	}
	now := time.Now()
	who.Kind = "app"
	who.RegisteredClaims = jwt.RegisteredClaims{
		Issuer: issuer, Audience: jwt.ClaimStrings{app.Aud}, Subject: who.Email,
		IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now),
		ExpiresAt: jwt.NewNumericDate(now.Add(lasts)),
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, who)
	token.Header["kid"] = keyID
	who.signed, _ = token.SignedString(e.Key) // fails for a key of another kind alone
	return who
}

// login takes anybody's word for an e-mail address: that is what makes it a stand-in. Whether the
// address may pass is decided as it is at Cloudflare.
func (e *Edge) login(w http.ResponseWriter, r *http.Request, world *World, host string) {
	back := r.FormValue("redirect_url")
	if !strings.HasPrefix(back, "/") || strings.HasPrefix(back, "//") {
		back = "/"
	}
	where, err := url.Parse(back)
	if err != nil {
		page(w, http.StatusBadRequest, "redirect_url: no path")
		return
	}
	app := world.Application(host, where.Path)
	switch {
	case app == nil || app.Aud != r.FormValue("kid"):
		page(w, http.StatusNotFound, "There is no such application.")
	case r.Method != http.MethodPost:
		show(w, http.StatusOK, content{
			Title: "Log in",
			Text:  "STAND-IN: the lab believes whatever address is given, and asks for no proof.",
			Login: &loginForm{Kid: app.Aud, Back: back},
		})
	default:
		e.loggedIn(w, r, world, app, back)
	}
}

func (e *Edge) loggedIn(
	w http.ResponseWriter, r *http.Request, world *World, app *application, back string,
) {
	address, err := mail.ParseAddress(r.FormValue("email"))
	if err != nil {
		page(w, http.StatusBadRequest, "email: no e-mail address")
		return
	}
	visitor := Visitor{Email: strings.ToLower(address.Address), Address: addressOf(r)}
	if world.Judge(app, visitor) != Pass {
		page(w, http.StatusForbidden, "That account does not have access.")
		return
	}
	signed := e.sign(app, claims{Email: visitor.Email})
	http.SetCookie(w, &http.Cookie{
		Name: cookie, Value: signed.signed, Path: "/", Secure: true, HttpOnly: true,
		SameSite: http.SameSiteLaxMode, Expires: signed.ExpiresAt.Time,
	})
	http.Redirect(w, r, back, http.StatusSeeOther)
}

func loginAddress(host string, app *application, back string) string {
	query := url.Values{"kid": {app.Aud}, "redirect_url": {back}}
	return fmt.Sprintf("/cdn-cgi/access/login/%s?%s", host, query.Encode())
}

// publicKeys returns what an origin verifies the assertion with.
func (e *Edge) publicKeys() map[string]any {
	return map[string]any{"keys": []map[string]string{webKey(&e.Key.PublicKey)}}
}

func webKey(key *rsa.PublicKey) map[string]string {
	number := func(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }
	return map[string]string{
		"kid": keyID, "kty": "RSA", "alg": "RS256", "use": "sig",
		"n": number(key.N), "e": number(big.NewInt(int64(key.E))),
	}
}
