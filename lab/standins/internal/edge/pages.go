package edge

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
)

var layout = template.Must(template.New("page").Parse(`<!doctype html>
<title>lab-edge (STAND-IN for Cloudflare)</title>
<h1>{{.Title}}</h1>
<p>{{.Text}}</p>
{{with .Login}}<form method="post">
<label>E-mail address <input type="email" name="email" required></label>
<input type="hidden" name="kid" value="{{.Kid}}">
<input type="hidden" name="redirect_url" value="{{.Back}}">
<button>Log in</button></form>{{end}}
<hr><p>The lab's edge, a STAND-IN for Cloudflare's.</p>
`))

type content struct {
	Title, Text string
	Login       *loginForm
}

type loginForm struct{ Kid, Back string }

func page(w http.ResponseWriter, status int, text string) {
	show(w, status, content{Title: fmt.Sprintf("%d %s", status, http.StatusText(status)), Text: text})
}

// numbered shows one of Cloudflare's own errors, by its number.
func numbered(w http.ResponseWriter, status, code int, text string) {
	show(w, status, content{Title: fmt.Sprintf("error code: %d", code), Text: text})
}

func show(w http.ResponseWriter, status int, what content) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = layout.Execute(w, what)
}

// ray returns a number for a request, as Cloudflare gives each.
func ray() string {
	drawn := make([]byte, 8)
	_, _ = rand.Read(drawn) // never fails: it ends the process instead
	return hex.EncodeToString(drawn) + "-LAB"
}
