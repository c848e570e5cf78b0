package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"sync/atomic"
	"time"
)

// A request that the database lets wait longer is better told so.
const answerWithin = 8 * time.Second

var roomName = regexp.MustCompile(`^[A-Za-z0-9-]{1,40}$`)

type portal struct {
	name string
	host string
	data *data
	// Whether the database was reached: a start with wrong settings gets no requests. Later it
	// says nothing of the database, or one that fails over would leave nobody to answer at all.
	ready atomic.Bool
}

func newPortal(name string, data *data) *portal {
	host, _ := os.Hostname()
	return &portal{name: name, host: host, data: data}
}

// becomeReady tries until the database is as it must be.
func (p *portal) becomeReady(ctx context.Context) {
	for ctx.Err() == nil {
		try, cancel := context.WithTimeout(ctx, answerWithin)
		err := p.data.prepare(try)
		cancel()
		if err == nil {
			p.ready.Store(true)
			return
		}
		slog.Error("database", "error", err.Error())
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (p *portal) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz/live", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /healthz/ready", func(w http.ResponseWriter, _ *http.Request) {
		if p.ready.Load() {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		http.Error(w, "not ready", http.StatusServiceUnavailable)
	})
	mux.HandleFunc("GET /{$}", p.rooms)
	mux.HandleFunc("GET /infrastructure", func(w http.ResponseWriter, _ *http.Request) {
		p.answer(w, http.StatusOK, map[string]any{"portal": p.name, "page": "infrastructure"})
	})
	if p.name == "employee" {
		mux.HandleFunc("POST /rooms/{room}/crates", p.store)
	}
	return mux
}

func (p *portal) rooms(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), answerWithin)
	defer cancel()
	rooms, cached, err := p.data.stats(ctx)
	if err != nil {
		p.unavailable(w, err)
		return
	}
	p.answer(w, http.StatusOK, map[string]any{
		"portal": p.name, "version": version, "pod": p.host, "rooms": rooms, "cached": cached,
	})
}

func (p *portal) store(w http.ResponseWriter, r *http.Request) {
	room := r.PathValue("room")
	if !roomName.MatchString(room) {
		http.Error(w, "room: expected letters, digits and dashes", http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), answerWithin)
	defer cancel()
	id, err := p.data.store(ctx, room)
	if err != nil {
		p.unavailable(w, err)
		return
	}
	p.answer(w, http.StatusCreated, map[string]any{"id": id, "room": room})
}

func (p *portal) unavailable(w http.ResponseWriter, err error) {
	slog.Error("database", "error", err.Error())
	http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
}

func (p *portal) answer(w http.ResponseWriter, code int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		slog.Warn("answer", "error", err.Error())
	}
}
