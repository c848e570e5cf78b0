package datastore

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"time"

	"coldstorage.local/lab/k3s/internal/options"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const partial = ".part"

// bucket is where copies of the snapshots go.
type bucket struct {
	client       *minio.Client
	name, folder string
	timeout      time.Duration
}

func newBucket(o *options.Options) (*bucket, error) {
	timeout, err := time.ParseDuration(o.Text("etcd-s3-timeout"))
	if err != nil {
		return nil, fmt.Errorf("option etcd-s3-timeout: %w", err)
	}
	b := &bucket{name: o.Text("etcd-s3-bucket"), folder: o.Text("etcd-s3-folder"), timeout: timeout}
	if b.name == "" {
		return nil, errors.New("option etcd-s3-bucket: expected the name of a bucket")
	}
	settings := &tls.Config{InsecureSkipVerify: o.On("etcd-s3-skip-ssl-verify")}
	if file := o.Text("etcd-s3-endpoint-ca"); file != "" {
		authority, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("option etcd-s3-endpoint-ca: %w", err)
		}
		settings.RootCAs = x509.NewCertPool()
		settings.RootCAs.AppendCertsFromPEM(authority)
	}
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, errors.New("no HTTP transport")
	}
	transport = transport.Clone()
	transport.TLSClientConfig = settings
	lookup := map[string]minio.BucketLookupType{
		"dns": minio.BucketLookupDNS, "path": minio.BucketLookupPath,
	}[o.Text("etcd-s3-bucket-lookup-type")]
	b.client, err = minio.New(o.Text("etcd-s3-endpoint"), &minio.Options{
		Creds:        credentials.NewStaticV4(o.Text("etcd-s3-access-key"), o.Text("etcd-s3-secret-key"), ""),
		Secure:       !o.On("etcd-s3-insecure"),
		Region:       o.Text("etcd-s3-region"),
		Transport:    transport,
		BucketLookup: lookup,
	})
	return b, err
}

func (b *bucket) upload(ctx context.Context, file, name string) error {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	_, err := b.client.FPutObject(ctx, b.name, path.Join(b.folder, name), file, minio.PutObjectOptions{})
	return b.explain(err)
}

func (b *bucket) download(ctx context.Context, name, file string) error {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	return b.explain(
		b.client.FGetObject(ctx, b.name, path.Join(b.folder, name), file, minio.GetObjectOptions{}))
}

func (b *bucket) remove(ctx context.Context, name string) error {
	return b.explain(
		b.client.RemoveObject(ctx, b.name, path.Join(b.folder, name), minio.RemoveObjectOptions{}))
}

func (b *bucket) list(ctx context.Context) ([]Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	prefix := b.folder
	if prefix != "" {
		prefix += "/"
	}
	var found []Snapshot
	for object := range b.client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: prefix}) {
		if object.Err != nil {
			return nil, b.explain(object.Err)
		}
		found = append(found, Snapshot{
			path.Base(object.Key), "s3://" + path.Join(b.name, object.Key), object.Size, object.LastModified,
		})
	}
	return found, nil
}

func (b *bucket) explain(err error) error {
	if err != nil {
		return fmt.Errorf("s3 bucket %s at %s: %w", b.name, b.client.EndpointURL().Host, err)
	}
	return nil
}

func saveTo(file string, content io.Reader) error {
	out, err := os.OpenFile(file+partial, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, content)
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return errors.Join(err, os.Remove(file+partial))
	}
	return os.Rename(file+partial, file)
}
