package datastore

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"coldstorage.local/lab/k3s/internal/options"
	"github.com/robfig/cron/v3"
)

// Snapshot is a copy of etcd's content, here or in S3.
type Snapshot struct {
	Name     string
	Location string
	Size     int64
	Created  time.Time
}

// Snapshots are those of one server, with what the options say of them.
type Snapshots struct {
	store   *Datastore
	options *options.Options
	dir     string
	prefix  string
	s3      *bucket
}

// OfOptions returns a server's snapshots.
func OfOptions(store *Datastore, o *options.Options) (*Snapshots, error) {
	s := &Snapshots{store: store, options: o, dir: o.Text("etcd-snapshot-dir")}
	if s.dir == "" {
		s.dir = store.Path("snapshots")
	}
	s.prefix = o.Text("etcd-snapshot-name")
	if !o.On("etcd-s3") {
		return s, nil
	}
	var err error
	s.s3, err = newBucket(o)
	return s, err
}

// Save takes a snapshot, and says where it is.
func (s *Snapshots) Save(ctx context.Context, name string) (Snapshot, error) {
	client, err := s.store.Client()
	if err != nil {
		return Snapshot{}, err
	}
	defer client.Close()
	now := time.Now()
	name = fmt.Sprintf("%s-%s-%d", name, s.store.NodeName, now.Unix())
	content, err := client.Snapshot(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	defer content.Close()
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return Snapshot{}, err
	}
	path := filepath.Join(s.dir, name)
	if err := saveTo(path, content); err != nil {
		return Snapshot{}, fmt.Errorf("snapshot %s: %w", name, err)
	}
	state, err := os.Stat(path)
	if err != nil {
		return Snapshot{}, err
	}
	made := Snapshot{Name: name, Location: "file://" + path, Size: state.Size(), Created: now}
	if s.s3 != nil {
		return made, s.s3.upload(ctx, path, name)
	}
	return made, nil
}

// List returns all snapshots, the oldest first.
func (s *Snapshots) List(ctx context.Context) ([]Snapshot, error) {
	var found []Snapshot
	entries, err := os.ReadDir(s.dir)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	for _, entry := range entries {
		state, err := entry.Info()
		if err != nil || !state.Mode().IsRegular() || strings.HasSuffix(entry.Name(), partial) {
			continue
		}
		path := filepath.Join(s.dir, entry.Name())
		found = append(found, Snapshot{entry.Name(), "file://" + path, state.Size(), state.ModTime()})
	}
	if s.s3 != nil {
		remote, err := s.s3.list(ctx)
		if err != nil {
			return nil, err
		}
		found = append(found, remote...)
	}
	slices.SortFunc(found, func(a, b Snapshot) int { return a.Created.Compare(b.Created) })
	return found, nil
}

// Delete removes snapshots by name, wherever they are.
func (s *Snapshots) Delete(ctx context.Context, names ...string) error {
	all, err := s.List(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		gone := false
		for _, snapshot := range all {
			if snapshot.Name != name {
				continue
			}
			if path, here := strings.CutPrefix(snapshot.Location, "file://"); here {
				err = os.Remove(path)
			} else {
				err = s.s3.remove(ctx, name)
			}
			if err != nil {
				return err
			}
			gone = true
		}
		if !gone {
			return fmt.Errorf("snapshot %s: not found", name)
		}
	}
	return nil
}

// Prune keeps the newest of a name, as many as the retention says, here and in S3.
func (s *Snapshots) Prune(ctx context.Context, name string, keep int) ([]string, error) {
	all, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	var removed []string
	for _, here := range []bool{true, false} {
		var alike []Snapshot
		for _, snapshot := range all {
			local := strings.HasPrefix(snapshot.Location, "file://")
			if local == here && strings.HasPrefix(snapshot.Name, name+"-"+s.store.NodeName+"-") {
				alike = append(alike, snapshot)
			}
		}
		for _, old := range alike[:max(0, len(alike)-keep)] {
			if here {
				err = os.Remove(strings.TrimPrefix(old.Location, "file://"))
			} else {
				err = s.s3.remove(ctx, old.Name)
			}
			if err != nil {
				return removed, err
			}
			removed = append(removed, old.Name)
		}
	}
	return removed, nil
}

// Schedule takes snapshots by the clock until the context ends.
func (s *Snapshots) Schedule(ctx context.Context, spec string, keep int) error {
	clock := cron.New()
	_, err := clock.AddFunc(spec, func() {
		made, err := s.Save(ctx, s.prefix)
		if err == nil {
			log.Printf("Saved etcd snapshot %s", made.Name)
			_, err = s.Prune(ctx, s.prefix, keep)
		}
		if err != nil {
			log.Printf("Scheduled snapshot failed: %v", err)
		}
	})
	if err != nil {
		return fmt.Errorf("option etcd-snapshot-schedule-cron: %w", err)
	}
	clock.Start()
	context.AfterFunc(ctx, func() { clock.Stop() })
	return nil
}
