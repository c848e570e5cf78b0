package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
)

// longest is how long a call may take when the program sets no timeout of its own.
const longest = 5 * time.Minute

// errGone says that the record is not there (any more).
var errGone = errors.New("there is no such record")

// api is the lab's cloud, asked in the lab's own small protocol.
type api struct {
	cloud, base, token string
	client             *http.Client
	mutex              sync.Mutex
	known              bool
}

// Record is one resource as the cloud has it.
type Record struct {
	ID      string         `json:"id"`
	Outputs map[string]any `json:"outputs"`
}

func newAPI(cloud, base, token string) *api {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: onlyNearby}
	transport := &http.Transport{DialContext: dialer.DialContext, ForceAttemptHTTP2: false}
	return &api{
		cloud: cloud, base: strings.TrimSuffix(base, "/"), token: token,
		client: &http.Client{Transport: transport},
	}
}

// forDocumentation is the range in which the lab has its clouds: nobody else may have an address there.
var forDocumentation = netip.MustParsePrefix("203.0.113.0/24")

// onlyNearby refuses every address that could be the real service's, before a byte is sent.
func onlyNearby(_, address string, _ syscall.RawConn) error {
	where, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if ip := where.Addr().Unmap(); ip.IsLoopback() || ip.IsPrivate() || forDocumentation.Contains(ip) {
		return nil
	}
	return fmt.Errorf("the stand-in talks to the lab's own addresses alone, not to %s", address)
}

// greet makes sure, without the token, that the other side is the lab's cloud.
func (a *api) greet(ctx context.Context) error {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.known {
		return nil
	}
	var answer struct {
		Lab string `json:"lab"`
	}
	if err := a.exchange(ctx, http.MethodGet, "/lab", "", nil, &answer); err != nil {
		return fmt.Errorf("%s is not the lab's %s: %w; the stand-in works with the lab alone",
			a.base, a.cloud, err)
	}
	if answer.Lab != a.cloud {
		return fmt.Errorf("%s is the lab's %q, expected %s", a.base, answer.Lab, a.cloud)
	}
	a.known = true
	return nil
}

// call asks the cloud for something; path is below the records.
func (a *api) call(ctx context.Context, method, path string, body, answer any) error {
	if err := a.greet(ctx); err != nil {
		return err
	}
	return a.exchange(ctx, method, path, a.token, body, answer)
}

func (a *api) exchange(
	ctx context.Context, method, path, token string, body, answer any,
) error {
	request, err := a.request(ctx, method, path, token, body)
	if err != nil {
		return err
	}
	response, err := a.client.Do(request)
	if err != nil {
		return unanswered(method, path, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return unanswered(method, path, err)
	case response.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%w: %s", errGone, said(text))
	case response.StatusCode >= http.StatusBadRequest:
		return fmt.Errorf("%s refused %s %s: %d %s", a.cloud, method, path,
			response.StatusCode, said(text))
	case answer == nil:
		return nil
	}
	return json.Unmarshal(text, answer)
}

func (a *api) request(
	ctx context.Context, method, path, token string, body any,
) (*http.Request, error) {
	content, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, a.base+path, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	// Else Go sends a request again whose answer was lost, and what it asked for is made twice.
	request.GetBody = nil
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return request, nil
}

// unanswered says what a lost answer means; what the request asked for may have been done.
func unanswered(method, path string, err error) error {
	if method == http.MethodPost {
		return fmt.Errorf("%s %s: no answer (%w): it may have been made all the same. If the next "+
			"run says that the name is taken, import it or delete it by hand", method, path, err)
	}
	return fmt.Errorf("%s %s: no answer: %w", method, path, err)
}

// said returns the cloud's own words.
func said(text []byte) string {
	var refusal struct {
		Error struct{ Code, Message string }
	}
	if json.Unmarshal(text, &refusal) == nil && refusal.Error.Message != "" {
		return fmt.Sprintf("%s (%s)", refusal.Error.Message, refusal.Error.Code)
	}
	return strings.TrimSpace(string(text[:min(200, len(text))]))
}

func (a *api) create(ctx context.Context, kind string, inputs any) (Record, error) {
	var made Record
	err := a.call(ctx, http.MethodPost, "/lab/records/"+kind, map[string]any{"inputs": inputs}, &made)
	return made, err
}

func (a *api) update(ctx context.Context, kind, id string, inputs any) (Record, error) {
	var made Record
	err := a.call(ctx, http.MethodPut, place(kind, id), map[string]any{"inputs": inputs}, &made)
	return made, err
}

func (a *api) read(ctx context.Context, kind, id string) (Record, error) {
	var found Record
	return found, a.call(ctx, http.MethodGet, place(kind, id), nil, &found)
}

func (a *api) delete(ctx context.Context, kind, id string) error {
	err := a.call(ctx, http.MethodDelete, place(kind, id), nil, nil)
	if errors.Is(err, errGone) {
		return nil // somebody was here before
	}
	return err
}

func (a *api) invoke(ctx context.Context, name string, arguments any) (map[string]any, error) {
	var found Record
	err := a.call(ctx, http.MethodPost, "/lab/functions/"+name,
		map[string]any{"inputs": arguments}, &found)
	return found.Outputs, err
}

func place(kind, id string) string {
	return "/lab/records/" + kind + "?id=" + url.QueryEscape(id)
}
