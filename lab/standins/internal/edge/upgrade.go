package edge

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httputil"

	"coldstorage.local/lab/standins/internal/tunnel"
)

// upgrade passes a WebSocket on. HTTP/2 has no Upgrade, so the two bodies of one request are the
// two directions of the socket.
func (e *Edge) upgrade(w http.ResponseWriter, r *http.Request, proxy *httputil.ReverseProxy) {
	toOrigin, fromVisitor := io.Pipe()
	out := r.Clone(r.Context())
	out.Method, out.Body, out.ContentLength = http.MethodPost, toOrigin, -1
	request := &httputil.ProxyRequest{In: r, Out: out}
	proxy.Rewrite(request)
	out.Header.Set(tunnel.Upgrade, r.Header.Get("Upgrade"))
	out.Header.Del("Upgrade")
	out.Header.Del("Connection")

	response, err := proxy.Transport.RoundTrip(out)
	if err != nil {
		proxy.ErrorHandler(w, r, err)
		return
	}
	defer response.Body.Close()
	if response.Header.Get(tunnel.Upgrade) == "" {
		copyAnswer(w, response)
		return
	}
	visitor, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		proxy.ErrorHandler(w, r, err)
		return
	}
	defer visitor.Close()
	join(visitor, buffered, fromVisitor, response)
}

func join(
	visitor net.Conn, buffered *bufio.ReadWriter, fromVisitor *io.PipeWriter, response *http.Response,
) {
	header := response.Header
	header.Set("Connection", "Upgrade")
	header.Set("Upgrade", header.Get(tunnel.Upgrade))
	header.Del(tunnel.Upgrade)
	switched := http.Response{
		StatusCode: http.StatusSwitchingProtocols, ProtoMajor: 1, ProtoMinor: 1, Header: header,
	}
	if switched.Write(visitor) != nil {
		return
	}
	go func() {
		_, err := io.Copy(fromVisitor, buffered)
		fromVisitor.CloseWithError(err)
	}()
	_, _ = io.Copy(visitor, response.Body) // ends when either side does
	_ = fromVisitor.Close()
}

func copyAnswer(w http.ResponseWriter, response *http.Response) {
	for name, values := range response.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(response.StatusCode)
	_, _ = io.Copy(w, response.Body)
}
