package waiting

import (
	"context"
	"slices"
	"strings"

	"coldstorage.local/lab/kubernetes_plugin/internal/cluster"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

func typed[T any](live *unstructured.Unstructured) (*T, error) {
	object := new(T)
	return object, runtime.DefaultUnstructuredConverter.FromUnstructured(live.Object, object)
}

// service waits for a ready endpoint, and for the address of a load balancer.
func service(
	ctx context.Context, c *cluster.Cluster, live *unstructured.Unstructured,
) (verdict, error) {
	wanted, err := typed[corev1.Service](live)
	if err != nil || wanted.Spec.Type == corev1.ServiceTypeExternalName {
		return ready, err
	}
	if wanted.Spec.Type == corev1.ServiceTypeLoadBalancer &&
		len(wanted.Status.LoadBalancer.Ingress) == 0 {
		return missing("no load balancer gave it an address"), nil
	}
	if wanted.Spec.ClusterIP == corev1.ClusterIPNone || len(wanted.Spec.Selector) == 0 {
		return ready, nil
	}
	reached, err := hasEndpoints(ctx, c, wanted.Namespace, wanted.Name)
	if err != nil || reached {
		return verdict{ready: reached}, err
	}
	return missing("no ready pod matches its selector %s",
		metav1.FormatLabelSelector(metav1.SetAsLabelSelector(wanted.Spec.Selector))), nil
}

func hasEndpoints(ctx context.Context, c *cluster.Cluster, namespace, name string) (bool, error) {
	behind, err := c.Typed.DiscoveryV1().EndpointSlices(namespace).List(ctx, metav1.ListOptions{
		LabelSelector: discoveryv1.LabelServiceName + "=" + name,
	})
	if err != nil {
		return false, err
	}
	for _, slice := range behind.Items {
		if slices.ContainsFunc(slice.Endpoints, func(endpoint discoveryv1.Endpoint) bool {
			// Not said means ready, by the API's own words.
			return endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready
		}) {
			return true, nil
		}
	}
	return false, nil
}

// ingress waits for an address and for something behind every service that it names.
func ingress(
	ctx context.Context, c *cluster.Cluster, live *unstructured.Unstructured,
) (verdict, error) {
	wanted, err := typed[networkingv1.Ingress](live)
	if err != nil {
		return verdict{}, err
	}
	var empty []string
	for _, name := range backends(wanted) {
		behind, err := c.Typed.CoreV1().Services(wanted.Namespace).Get(ctx, name, metav1.GetOptions{})
		if err == nil && behind.Spec.Type == corev1.ServiceTypeExternalName {
			continue
		}
		if err != nil && !apierrors.IsNotFound(err) {
			return verdict{}, err
		}
		if reached, err := hasEndpoints(ctx, c, wanted.Namespace, name); err != nil {
			return verdict{}, err
		} else if !reached {
			empty = append(empty, name)
		}
	}
	if len(empty) > 0 {
		return missing("nothing is ready behind its services: %s", strings.Join(empty, ", ")), nil
	}
	if len(wanted.Status.LoadBalancer.Ingress) == 0 {
		return missing("no ingress controller gave it an address"), nil
	}
	return ready, nil
}

func backends(wanted *networkingv1.Ingress) []string {
	var names []string
	add := func(backend *networkingv1.IngressBackend) {
		if backend != nil && backend.Service != nil {
			names = append(names, backend.Service.Name)
		}
	}
	add(wanted.Spec.DefaultBackend)
	for _, rule := range wanted.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		for _, path := range rule.HTTP.Paths {
			add(&path.Backend)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// claim waits for a volume, unless its class gives one only to the first pod that uses it.
func claim(
	ctx context.Context, c *cluster.Cluster, live *unstructured.Unstructured,
) (verdict, error) {
	wanted, err := typed[corev1.PersistentVolumeClaim](live)
	if err != nil || wanted.Status.Phase == corev1.ClaimBound {
		return ready, err
	}
	waits, err := waitsForPod(ctx, c, wanted.Spec.StorageClassName)
	if err != nil || waits {
		return verdict{ready: waits}, err
	}
	return missing("the claim is %q, not bound", wanted.Status.Phase), nil
}

func waitsForPod(ctx context.Context, c *cluster.Cluster, name *string) (bool, error) {
	classes, err := c.Typed.StorageV1().StorageClasses().List(ctx, metav1.ListOptions{})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(classes.Items, func(class storagev1.StorageClass) bool {
		chosen := name != nil && class.Name == *name ||
			name == nil && class.Annotations["storageclass.kubernetes.io/is-default-class"] == "true"
		return chosen && class.VolumeBindingMode != nil &&
			*class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer
	}), nil
}
