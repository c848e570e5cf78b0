package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

var ports = map[string]string{"employee": ":8080", "customer": ":8081"}

// settings are what the environment says; secrets are in files, so that no list of variables has
// them.
type settings struct {
	hosts                          []string
	port, name, user, password, ca string
	cache, cachePassword           string
	keep                           time.Duration
}

// settingsOf reads all settings and names all that are missing or wrong.
func settingsOf(get func(string) string) (settings, error) {
	var wrong []error
	text := func(key string) string {
		if get(key) == "" {
			wrong = append(wrong, fmt.Errorf("%s: is not set", key))
		}
		return get(key)
	}
	file := func(key string) string {
		content, err := os.ReadFile(text(key))
		if err != nil && get(key) != "" {
			wrong = append(wrong, fmt.Errorf("%s: %w", key, err))
		}
		return strings.TrimSpace(string(content))
	}
	made := settings{
		hosts:         strings.Split(text("DATABASE_HOSTS"), ","),
		port:          text("DATABASE_PORT"),
		name:          text("DATABASE_NAME"),
		user:          text("DATABASE_USER"),
		password:      file("DATABASE_PASSWORD_FILE"),
		ca:            text("DATABASE_CA_FILE"),
		cache:         text("REDIS_ADDRESS"),
		cachePassword: file("REDIS_PASSWORD_FILE"),
	}
	seconds, err := strconv.Atoi(text("REDIS_ROOM_STATS_SECONDS"))
	if err != nil || seconds < 1 {
		wrong = append(wrong, errors.New("REDIS_ROOM_STATS_SECONDS: expected a number of seconds"))
	}
	made.keep = time.Duration(seconds) * time.Second
	return made, errors.Join(wrong...)
}

// connection is what pgx is told: it tries the hosts in their order, and takes the first that
// takes writes.
func (s settings) connection() string {
	quoted := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s.password)
	return fmt.Sprintf("host=%s port=%s dbname=%s user=%s password='%s' sslmode=verify-ca"+
		" sslrootcert=%s connect_timeout=2 target_session_attrs=read-write pool_max_conns=4"+
		" pool_health_check_period=5s application_name=cold-backend",
		strings.Join(s.hosts, ","), s.port, s.name, s.user, quoted, s.ca)
}
