// Package cluster talks to one Kubernetes cluster: finds its kinds, applies and reads objects,
// and knows whether it can be reached at all.
package cluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

const (
	// How long a cluster may take to answer at all.
	probeTimeout = 5 * time.Second
	// How long a cluster that did not answer is left alone.
	pause = 10 * time.Second
)

// Settings say which cluster, and how fast it may be asked.
type Settings struct {
	Kubeconfig, Context, Cluster, Namespace string
	QPS                                     float32
	Burst                                   int
	Timeout                                 time.Duration
	Warn                                    func(message string)
}

// Cluster is one cluster; the zero of everything but Reachable is useless before that succeeded.
type Cluster struct {
	Client    dynamic.Interface
	Typed     kubernetes.Interface
	Discovery discovery.CachedDiscoveryInterface
	Config    *rest.Config
	// Namespace is where objects go that name none and need one.
	Namespace string

	mapper meta.ResettableRESTMapper
	probe  discovery.ServerVersionInterface
	broken error

	mutex       sync.Mutex
	reached     bool
	tried       time.Time
	unreachable error
	schemas     schemas
}

// Kubeconfig reads a kubeconfig given as its contents or as a path. Nothing of it is in errors.
func Kubeconfig(pathOrContents string) (*api.Config, error) {
	if rest, found := strings.CutPrefix(pathOrContents, "~/"); found {
		if home, err := os.UserHomeDir(); err == nil {
			pathOrContents = filepath.Join(home, rest)
		}
	}
	contents := []byte(pathOrContents)
	if !strings.Contains(pathOrContents, "\n") {
		if read, err := os.ReadFile(pathOrContents); err == nil {
			contents = read
		}
	}
	config, err := clientcmd.Load(contents)
	if err != nil || len(config.Clusters) == 0 {
		return nil, errors.New("kubeconfig: must be the path of one, or its contents with a cluster")
	}
	return config, nil
}

// New prepares the way to a cluster without taking it.
func New(settings Settings) *Cluster {
	config, namespace, err := settings.rest()
	if err != nil {
		return &Cluster{Namespace: DefaultNamespace, broken: err}
	}
	made := &Cluster{Config: config, Namespace: namespace}
	quick := rest.CopyConfig(config)
	quick.Timeout = probeTimeout
	probe, err := discovery.NewDiscoveryClientForConfig(quick)
	made.probe, made.broken = probe, errors.Join(made.broken, err)
	client, err := dynamic.NewForConfig(config)
	made.Client, made.broken = client, errors.Join(made.broken, err)
	typed, err := kubernetes.NewForConfig(config)
	made.Typed, made.broken = typed, errors.Join(made.broken, err)
	if made.broken == nil {
		made.Discovery = memory.NewMemCacheClient(typed.Discovery())
		made.mapper = restmapper.NewDeferredDiscoveryRESTMapper(made.Discovery)
	}
	return made
}

func (s Settings) rest() (*rest.Config, string, error) {
	overrides := &clientcmd.ConfigOverrides{
		CurrentContext: s.Context,
		Context:        api.Context{Cluster: s.Cluster, Namespace: s.Namespace},
	}
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		clientcmd.NewDefaultClientConfigLoadingRules(), overrides)
	if s.Kubeconfig != "" {
		given, err := Kubeconfig(s.Kubeconfig)
		if err != nil {
			return nil, "", err
		}
		loader = clientcmd.NewDefaultClientConfig(*given, overrides)
	}
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, "", fmt.Errorf("kubeconfig: %w", err)
	}
	config.QPS, config.Burst, config.Timeout = s.QPS, s.Burst, s.Timeout
	config.UserAgent = "pulumi-resource-kubernetes (stand-in)"
	config.WarningHandler = warnings(s.Warn)
	namespace, _, err := loader.Namespace()
	return config, namespace, err
}

type warnings func(message string)

// HandleWarningHeader passes on what the server remarks, such as a deprecated version.
func (w warnings) HandleWarningHeader(code int, _ string, text string) {
	if code == 299 && text != "" {
		w(text)
	}
}

// Reachable returns why the cluster cannot be reached, or nothing. It takes seconds at most, and a
// cluster that did not answer is not asked again for a while.
func (c *Cluster) Reachable() error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.broken != nil {
		return c.broken
	}
	if !c.reached && time.Since(c.tried) > pause {
		_, c.unreachable = c.probe.ServerVersion()
		c.reached, c.tried = c.unreachable == nil, time.Now()
	}
	return c.unreachable
}
