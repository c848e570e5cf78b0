package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
)

const (
	statsKey = "room-stats"
	// Linux's TCP_USER_TIMEOUT, in milliseconds: a leader that lost its power is known as dead.
	userTimeout, userTimeoutValue = 18, 2000
	// Portals start side by side; one of them makes the table.
	schema = `SELECT pg_advisory_xact_lock(8080);
CREATE TABLE IF NOT EXISTS crates (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	room text NOT NULL,
	stored_at timestamptz NOT NULL DEFAULT now()
)`
)

// data is what the portals keep: crates in rooms, counted by room.
type data struct {
	pool  *pgxpool.Pool
	cache *redis.Client
	keep  time.Duration
}

// open prepares both connections without waiting for either.
func open(ctx context.Context, wanted settings) (*data, error) {
	config, err := pgxpool.ParseConfig(wanted.connection())
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{KeepAlive: 2 * time.Second, Control: impatient}
	config.ConnConfig.DialFunc = dialer.DialContext
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	cache := redis.NewClient(&redis.Options{
		Addr: wanted.cache, Username: "application", Password: wanted.cachePassword,
		DialTimeout: time.Second, ReadTimeout: time.Second, WriteTimeout: time.Second,
		MaxRetries: -1, DisableIdentity: true,
	})
	return &data{pool: pool, cache: cache, keep: wanted.keep}, nil
}

func impatient(_, _ string, connection syscall.RawConn) error {
	var failed error
	err := connection.Control(func(socket uintptr) {
		failed = syscall.SetsockoptInt(int(socket), syscall.IPPROTO_TCP, userTimeout, userTimeoutValue)
	})
	if err != nil {
		return err
	}
	return failed
}

func (d *data) close() {
	d.pool.Close()
	if err := d.cache.Close(); err != nil {
		slog.Warn("cache", "error", err.Error())
	}
}

// prepare makes what is kept, if it is not there yet.
func (d *data) prepare(ctx context.Context) error {
	return pgx.BeginFunc(ctx, d.pool, func(all pgx.Tx) error {
		_, err := all.Conn().PgConn().Exec(ctx, schema).ReadAll()
		return err
	})
}

// store writes a crate; what is cached of its room is wrong from then on.
func (d *data) store(ctx context.Context, room string) (id int64, err error) {
	err = d.pool.QueryRow(ctx, "INSERT INTO crates (room) VALUES ($1) RETURNING id", room).Scan(&id)
	if err == nil {
		if lost := d.cache.Del(ctx, statsKey).Err(); lost != nil {
			slog.Warn("cache", "error", lost.Error())
		}
	}
	return id, err
}

// stats counts the crates of each room, from the cache if it has them and answers.
func (d *data) stats(ctx context.Context) (rooms map[string]int64, cached bool, err error) {
	if kept, lost := d.cache.Get(ctx, statsKey).Bytes(); lost == nil {
		if json.Unmarshal(kept, &rooms) == nil {
			return rooms, true, nil
		}
	} else if lost != redis.Nil {
		slog.Warn("cache", "error", lost.Error())
	}
	rows, err := d.pool.Query(ctx, "SELECT room, count(*) FROM crates GROUP BY room")
	if err != nil {
		return nil, false, err
	}
	rooms = map[string]int64{}
	var room string
	var count int64
	_, err = pgx.ForEachRow(rows, []any{&room, &count}, func() error {
		rooms[room] = count
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	if made, err := json.Marshal(rooms); err == nil {
		d.cache.Set(ctx, statsKey, made, d.keep)
	}
	return rooms, false, nil
}
