package waiting

import (
	"context"
	"fmt"
	"strings"

	"coldstorage.local/lab/kubernetes_plugin/internal/cluster"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

// verdict is what one look at an object says.
type verdict struct {
	ready, failed bool
	message       string
}

var ready = verdict{ready: true}

func missing(format string, values ...any) verdict {
	return verdict{message: fmt.Sprintf(format, values...)}
}

type look func(context.Context, *cluster.Cluster, *unstructured.Unstructured) (verdict, error)

// looks has the kinds that are waited for, those of the official provider.
var looks = map[schema.GroupKind]look{
	{Group: "apps", Kind: "DaemonSet"}:   workload,
	{Group: "apps", Kind: "Deployment"}:  workload,
	{Group: "apps", Kind: "StatefulSet"}: workload,
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}: func(
		_ context.Context, _ *cluster.Cluster, live *unstructured.Unstructured,
	) (verdict, error) {
		return generic(live)
	},
	{Group: "batch", Kind: "Job"}:                 job,
	{Group: "networking.k8s.io", Kind: "Ingress"}: ingress,
	{Kind: "PersistentVolume"}:                    volume,
	{Kind: "PersistentVolumeClaim"}:               claim,
	{Kind: "Pod"}:                                 pod,
	{Kind: "Secret"}:                              token,
	{Kind: "Service"}:                             service,
}

// generic asks kstatus, the library of the Kubernetes command line.
func generic(live *unstructured.Unstructured) (verdict, error) {
	result, err := status.Compute(live)
	if err != nil {
		return verdict{}, err
	}
	return verdict{
		ready:   result.Status == status.CurrentStatus,
		failed:  result.Status == status.FailedStatus,
		message: result.Message,
	}, nil
}

func workload(
	ctx context.Context, c *cluster.Cluster, live *unstructured.Unstructured,
) (verdict, error) {
	seen, err := generic(live)
	if err != nil || seen.ready {
		return seen, err
	}
	if found := podProblems(ctx, c, live); len(found) > 0 {
		seen.message += "; " + strings.Join(found, "; ")
	}
	return seen, nil
}

func pod(_ context.Context, _ *cluster.Cluster, live *unstructured.Unstructured) (verdict, error) {
	seen, err := generic(live)
	// A crash loop may still end well, as when a database comes later.
	phase, _, _ := unstructured.NestedString(live.Object, "status", "phase")
	seen.failed = phase == "Failed"
	return seen, err
}

func job(_ context.Context, _ *cluster.Cluster, live *unstructured.Unstructured) (verdict, error) {
	if suspended, _, _ := unstructured.NestedBool(live.Object, "spec", "suspend"); suspended {
		return ready, nil
	}
	for _, condition := range conditions(live) {
		switch {
		case condition.status != "True":
		case condition.kind == "Complete":
			return ready, nil
		case condition.kind == "Failed":
			return verdict{failed: true, message: condition.String()}, nil
		}
	}
	return missing("the job is not complete"), nil
}

func volume(
	_ context.Context, _ *cluster.Cluster, live *unstructured.Unstructured,
) (verdict, error) {
	phase, _, _ := unstructured.NestedString(live.Object, "status", "phase")
	if phase == "Available" || phase == "Bound" {
		return ready, nil
	}
	return missing("the volume is %q, not available or bound", phase), nil
}

func token(_ context.Context, _ *cluster.Cluster, live *unstructured.Unstructured) (verdict, error) {
	kind, _, _ := unstructured.NestedString(live.Object, "type")
	data, _, _ := unstructured.NestedMap(live.Object, "data")
	if kind != "kubernetes.io/service-account-token" || len(data) > 0 {
		return ready, nil
	}
	return missing("the service account's token is not there"), nil
}

type condition struct{ kind, status, reason, message string }

// String says what the condition says.
func (c condition) String() string { return fmt.Sprintf("%s: %s: %s", c.kind, c.reason, c.message) }

func conditions(live *unstructured.Unstructured) []condition {
	list, _, _ := unstructured.NestedSlice(live.Object, "status", "conditions")
	found := make([]condition, 0, len(list))
	for _, element := range list {
		fields, _ := element.(map[string]any)
		text := func(key string) string {
			value, _ := fields[key].(string)
			return value
		}
		found = append(found, condition{text("type"), text("status"), text("reason"), text("message")})
	}
	return found
}
