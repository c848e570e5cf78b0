// Package waiting waits until objects are ready or gone, says meanwhile what is missing, and finds
// the reasons when it takes too long.
package waiting

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"coldstorage.local/lab/kubernetes_plugin/internal/cluster"
	"coldstorage.local/lab/kubernetes_plugin/internal/objects"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
)

const interval = 500 * time.Millisecond

// Unready is an object that is there but did not become ready, or did not go away.
type Unready struct {
	Live    *unstructured.Unstructured
	Reasons []string
}

// Error lists every reason.
func (u *Unready) Error() string { return strings.Join(u.Reasons, "\n") }

// Waiter waits for objects of one cluster.
type Waiter struct {
	Cluster *cluster.Cluster
	// Say is told what is missing whenever that changes.
	Say func(message string)
}

// Ready waits until the object is ready by the rules of its kind or its annotation, and returns
// it as it then is.
func (w Waiter) Ready(
	ctx context.Context, object *unstructured.Unstructured,
) (*unstructured.Unstructured, error) {
	look, err := lookFor(object)
	if err != nil || look == nil {
		return object, err
	}
	live, last := object, verdict{}
	err = wait.PollUntilContextCancel(ctx, interval, true, func(ctx context.Context) (bool, error) {
		current, err := w.Cluster.Get(ctx, object)
		if apierrors.IsNotFound(err) {
			return false, errors.New("it disappeared while it was waited for")
		}
		if err != nil {
			w.Say(err.Error())
			return false, nil // The API server may be away for a moment.
		}
		live = current
		seen, err := look(ctx, w.Cluster, live)
		if err != nil {
			w.Say(err.Error())
			return false, nil
		}
		if !seen.ready && seen.message != last.message {
			w.Say(seen.message)
		}
		last = seen
		return seen.ready || seen.failed, nil
	})
	if err == nil && last.ready {
		return live, nil
	}
	return live, w.unready(ctx, live, last, err)
}

// IsReady looks once, and returns why an object is not ready.
func (w Waiter) IsReady(ctx context.Context, live *unstructured.Unstructured) error {
	look, err := lookFor(live)
	if err != nil || look == nil {
		return err
	}
	if seen, err := look(ctx, w.Cluster, live); err != nil || seen.ready {
		return err
	} else {
		return w.unready(ctx, live, seen, nil)
	}
}

func lookFor(object *unstructured.Unstructured) (look, error) {
	if objects.Annotated(object, objects.SkipAwait) {
		return nil, nil
	}
	if wanted := object.GetAnnotations()[objects.WaitFor]; wanted != "" {
		return customLook(wanted)
	}
	return looks[object.GroupVersionKind().GroupKind()], nil
}

func (w Waiter) unready(
	ctx context.Context, live *unstructured.Unstructured, last verdict, err error,
) error {
	result := &Unready{Live: live}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		result.Reasons = append(result.Reasons, "it did not become ready in time")
	case errors.Is(err, context.Canceled):
		result.Reasons = append(result.Reasons, "the wait for it was cancelled")
	case err != nil:
		result.Reasons = append(result.Reasons, err.Error())
	}
	if last.message != "" {
		result.Reasons = append(result.Reasons, last.message)
	}
	// The wait's own time is over; the reasons still count.
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer stop()
	result.Reasons = append(result.Reasons, reasons(ctx, w.Cluster, live)...)
	return result
}

// Gone waits until the object is no more.
func (w Waiter) Gone(ctx context.Context, object *unstructured.Unstructured) error {
	var live *unstructured.Unstructured
	said := ""
	err := wait.PollUntilContextCancel(ctx, interval, true, func(ctx context.Context) (bool, error) {
		current, err := w.Cluster.Get(ctx, object)
		if cluster.Gone(err) {
			return true, nil
		}
		if err != nil {
			w.Say(err.Error())
			return false, nil
		}
		if live != nil && live.GetUID() != current.GetUID() {
			return true, nil
		}
		live = current
		if message := holdingUp(live); message != said {
			w.Say(message)
			said = message
		}
		return false, nil
	})
	if err == nil {
		return nil
	}
	reason := fmt.Sprintf("it was not gone in time; %s", said)
	if errors.Is(err, context.Canceled) {
		reason = fmt.Sprintf("the wait for its end was cancelled; %s", said)
	}
	return &Unready{Live: live, Reasons: []string{reason}}
}

// holdingUp says what keeps a deleted object from going away.
func holdingUp(live *unstructured.Unstructured) string {
	if live.GetDeletionTimestamp() == nil {
		return "it is not being deleted"
	}
	messages := []string{"waiting for its end"}
	if finalizers := live.GetFinalizers(); len(finalizers) > 0 {
		messages = append(messages, "finalizers: "+strings.Join(finalizers, ", "))
	}
	for _, condition := range conditions(live) {
		if condition.status == "True" && strings.HasSuffix(condition.kind, "Remaining") ||
			condition.status == "True" && strings.HasSuffix(condition.kind, "Failure") {
			messages = append(messages, condition.message)
		}
	}
	return strings.Join(messages, "; ")
}
