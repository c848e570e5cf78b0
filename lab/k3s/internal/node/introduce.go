package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"coldstorage.local/lab/k3s/internal/api"
	"coldstorage.local/lab/k3s/internal/token"
)

// ErrWrongCluster says that who answers is not the one that the token is for, or that it is refused.
var ErrWrongCluster = errors.New("token CA hash does not match the Cluster CA certificate hash")

// Introduced is a client of a server that was proven to be of the token's cluster.
type Introduced struct {
	*api.Client
	// Authority is the cluster's.
	Authority []byte
}

// Introduce learns the authority of a cluster, and believes it if the token says so.
func Introduce(ctx context.Context, url string, shown token.Token) (*Introduced, error) {
	authority, err := api.Trusting(url, nil).Do(ctx, http.MethodGet, "/cacerts", nil)
	if err != nil {
		return nil, err
	}
	if digest := token.Digest(authority); shown.Digest != "" && digest != shown.Digest {
		return nil, fmt.Errorf("%w: the token has %s, %s has %s", ErrWrongCluster, shown.Digest, url, digest)
	}
	client := api.Trusting(url, authority)
	client.User, client.Password = shown.User, shown.Password
	return &Introduced{client, authority}, nil
}
