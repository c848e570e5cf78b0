package datastore

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// seenPrefix is where etcd keeps the names of nodes that have been there.
const seenPrefix = "/k3s-stand-in/nodes/"

// Join adds this server to the members that answer at endpoints, starts it and has it promoted.
func (d *Datastore) Join(ctx context.Context, endpoints []string) error {
	client, err := d.Client(endpoints...)
	if err != nil {
		return err
	}
	defer client.Close()
	name, err := d.Name()
	if err != nil {
		return err
	}
	var added *clientv3.MemberAddResponse
	// Another server may be joining: etcd takes one learner at a time.
	if err := until(ctx, "joining etcd", func(ctx context.Context) (err error) {
		if err := d.refuseTwin(ctx, client); err != nil {
			return err
		}
		added, err = client.MemberAddAsLearner(ctx, []string{d.peerURL()})
		return err
	}); err != nil {
		return err
	}
	var initial []string
	for _, member := range added.Members {
		if member.ID == added.Member.ID {
			member.Name = name
		}
		for _, url := range member.PeerURLs {
			initial = append(initial, member.Name+"="+url)
		}
	}
	if err := d.Start(initial, "existing"); err != nil {
		return err
	}
	return until(ctx, "waiting to be a voting member of etcd", func(ctx context.Context) error {
		_, err := client.MemberPromote(ctx, added.Member.ID)
		if errors.Is(err, rpctypes.ErrMemberNotLearner) {
			return nil
		}
		return err
	})
}

// refuseTwin forgets a learner that never started here; another member of our name is a fault.
func (d *Datastore) refuseTwin(ctx context.Context, client *clientv3.Client) error {
	list, err := client.MemberList(ctx)
	if err != nil {
		return err
	}
	for _, member := range list.Members {
		ours := slices.Contains(member.PeerURLs, d.peerURL())
		switch {
		case ours && member.Name == "":
			if _, err := client.MemberRemove(ctx, member.ID); err != nil {
				return err
			}
		case ours || nodeOf(member.Name) == d.NodeName:
			return fmt.Errorf("duplicate node name found, please use a unique name for this node: "+
				"etcd has a member %s; delete the node first (kubectl delete node %s)", member.Name, d.NodeName)
		}
	}
	return nil
}

// RemoveGone takes the members of deleted nodes out of etcd, for as long as this server leads it.
func (d *Datastore) RemoveGone(ctx context.Context, nodes func(context.Context) ([]string, error)) {
	client, err := d.Client()
	if err != nil {
		log.Printf("etcd members are not looked after: %v", err)
		return
	}
	defer client.Close()
	for range time.Tick(5 * time.Second) {
		if ctx.Err() != nil {
			return
		}
		once, cancel := context.WithTimeout(ctx, 5*time.Second)
		if err := d.removeGone(once, client, nodes); err != nil && ctx.Err() == nil {
			log.Printf("etcd members: %v", err)
		}
		cancel()
	}
}

func (d *Datastore) removeGone(
	ctx context.Context, client *clientv3.Client, nodes func(context.Context) ([]string, error),
) error {
	status, err := client.Status(ctx, Local)
	if err != nil || status.Leader != status.Header.MemberId {
		return err
	}
	now, err := nodes(ctx)
	if err != nil {
		return err
	}
	seen, err := d.seen(ctx, client, now)
	if err != nil {
		return err
	}
	list, err := client.MemberList(ctx)
	if err != nil {
		return err
	}
	gone := Gone(seen, now, d.NodeName)
	for _, member := range list.Members {
		if node := nodeOf(member.Name); slices.Contains(gone, node) {
			log.Printf("Node %s was deleted: its member %s leaves etcd", node, member.Name)
			if _, err := client.MemberRemove(ctx, member.ID); err != nil {
				return err
			}
		}
	}
	for _, node := range gone {
		if _, err := client.Delete(ctx, seenPrefix+node); err != nil {
			return err
		}
	}
	return nil
}

// Gone returns the nodes that were there and are not: one that is joining has not been there yet.
func Gone(seen, now []string, own string) []string {
	var gone []string
	for _, node := range seen {
		if node != own && !slices.Contains(now, node) {
			gone = append(gone, node)
		}
	}
	return gone
}

// seen returns the nodes that ever were, as etcd remembers them whoever leads it and whoever restarted.
func (d *Datastore) seen(ctx context.Context, client *clientv3.Client, now []string) ([]string, error) {
	kept, err := client.Get(ctx, seenPrefix, clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		return nil, err
	}
	var seen []string
	for _, pair := range kept.Kvs {
		seen = append(seen, strings.TrimPrefix(string(pair.Key), seenPrefix))
	}
	for _, node := range now {
		if slices.Contains(seen, node) {
			continue
		}
		if _, err := client.Put(ctx, seenPrefix+node, ""); err != nil {
			return nil, err
		}
		seen = append(seen, node)
	}
	return seen, nil
}

func nodeOf(member string) string {
	if end := strings.LastIndex(member, "-"); end > 0 {
		return member[:end]
	}
	return member
}

// Endpoints returns where the voting members answer clients.
func (d *Datastore) Endpoints(ctx context.Context) ([]string, error) {
	client, err := d.Client()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	list, err := client.MemberList(ctx)
	if err != nil {
		return nil, err
	}
	var urls []string
	for _, member := range list.Members {
		if !member.IsLearner {
			urls = append(urls, member.ClientURLs...)
		}
	}
	return urls, nil
}
