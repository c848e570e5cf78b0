package pki

import (
	"crypto/x509"
	"path/filepath"
)

// Cluster holds the authorities of a cluster, as every server has them.
type Cluster struct {
	Server, Client, RequestHeader, EtcdServer, EtcdPeer *Authority
	dir                                                 string
}

// AuthorityFiles are what servers must have in common, from the folder server.
var AuthorityFiles = []string{
	"tls/server-ca.crt", "tls/server-ca.key", "tls/client-ca.crt", "tls/client-ca.key",
	"tls/request-header-ca.crt", "tls/request-header-ca.key",
	"tls/etcd/server-ca.crt", "tls/etcd/server-ca.key",
	"tls/etcd/peer-ca.crt", "tls/etcd/peer-ca.key", "tls/service.key",
}

var (
	forClients = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	forServers = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	forBoth    = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
)

// LoadCluster returns the authorities of the folder server/tls; those that are missing are made.
func LoadCluster(tlsDir string) (*Cluster, error) {
	c := &Cluster{dir: tlsDir}
	for _, wanted := range []struct {
		place **Authority
		name  string
	}{
		{&c.Server, "server-ca"},
		{&c.Client, "client-ca"},
		{&c.RequestHeader, "request-header-ca"},
		{&c.EtcdServer, "etcd/server-ca"},
		{&c.EtcdPeer, "etcd/peer-ca"},
	} {
		authority, err := LoadAuthority(c.Path(wanted.name), "k3s-"+filepath.Base(wanted.name))
		if err != nil {
			return nil, err
		}
		*wanted.place = authority
	}
	return c, ServiceKey(c.Path("service.key"))
}

// Path returns where a file of the folder tls is.
func (c *Cluster) Path(name string) string {
	return filepath.Join(c.dir, name)
}

// IssueAll has the certificates of a server's own components; names are those it is reached by.
func (c *Cluster) IssueAll(names, etcdNames []string) error {
	masters := []string{"system:masters"}
	for _, wanted := range []struct {
		by   *Authority
		file string
		leaf Leaf
	}{
		{c.Client, "client-admin", Leaf{"system:admin", masters, forClients, nil}},
		{c.Client, "client-controller", Leaf{"system:kube-controller-manager", nil, forClients, nil}},
		{c.Client, "client-scheduler", Leaf{"system:kube-scheduler", nil, forClients, nil}},
		{c.Client, "client-supervisor", Leaf{"system:k3s-supervisor", masters, forClients, nil}},
		{c.Client, "client-kube-apiserver", Leaf{"system:apiserver", masters, forClients, nil}},
		{c.RequestHeader, "client-auth-proxy", Leaf{"system:auth-proxy", nil, forClients, nil}},
		{c.Server, "serving-kube-apiserver", Leaf{"kube-apiserver", nil, forServers, names}},
		{c.EtcdServer, "etcd/client", Leaf{"etcd-client", nil, forClients, nil}},
		{c.EtcdServer, "etcd/server-client", Leaf{"etcd-server", nil, forBoth, etcdNames}},
		{c.EtcdPeer, "etcd/peer-server-client", Leaf{"etcd-peer", nil, forBoth, etcdNames}},
	} {
		if err := wanted.by.Issue(c.Path(wanted.file), wanted.leaf); err != nil {
			return err
		}
	}
	return nil
}

// ClientLeaf describes a certificate by which somebody shows who he is.
func ClientLeaf(user string, groups ...string) Leaf {
	return Leaf{CommonName: user, Groups: groups, Usage: forClients}
}

// ServerLeaf describes a certificate by which a server shows where it is.
func ServerLeaf(commonName string, names ...string) Leaf {
	return Leaf{CommonName: commonName, Usage: forServers, Names: names}
}
