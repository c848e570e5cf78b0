package waiting

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"coldstorage.local/lab/kubernetes_plugin/internal/cluster"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
)

const (
	logLines  = 10
	maxEvents = 5
)

// reasons says what pods and events tell of an object that is not ready. What cannot be read is
// left out: the object's own words are there in any case.
func reasons(ctx context.Context, c *cluster.Cluster, live *unstructured.Unstructured) []string {
	found := warningEvents(ctx, c, live.GetNamespace(), live.GetUID())
	for _, pod := range podsOf(ctx, c, live) {
		found = append(found, problems(pod)...)
		found = append(found, warningEvents(ctx, c, pod.Namespace, pod.UID)...)
		found = append(found, lastWords(ctx, c, pod)...)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// podProblems says what is wrong with the pods of a workload.
func podProblems(ctx context.Context, c *cluster.Cluster, live *unstructured.Unstructured) []string {
	var found []string
	for _, pod := range podsOf(ctx, c, live) {
		found = append(found, problems(pod)...)
	}
	slices.Sort(found)
	return found
}

// podsOf returns the pods that a workload or a service selects, or the pod itself.
func podsOf(ctx context.Context, c *cluster.Cluster, live *unstructured.Unstructured) []corev1.Pod {
	if live.GetKind() == "Pod" {
		if pod, err := typed[corev1.Pod](live); err == nil {
			return []corev1.Pod{*pod}
		}
	}
	wanted, _, _ := unstructured.NestedMap(live.Object, "spec", "selector")
	if live.GetKind() == "Service" {
		wanted = map[string]any{"matchLabels": wanted}
	}
	given, err := typed[metav1.LabelSelector](&unstructured.Unstructured{Object: wanted})
	if err != nil || len(given.MatchLabels)+len(given.MatchExpressions) == 0 {
		return nil
	}
	pods, err := c.Typed.CoreV1().Pods(live.GetNamespace()).List(ctx, metav1.ListOptions{
		LabelSelector: metav1.FormatLabelSelector(given),
	})
	if err != nil {
		return nil
	}
	return pods.Items
}

func problems(pod corev1.Pod) []string {
	var found []string
	say := func(format string, values ...any) {
		found = append(found, "pod "+pod.Name+": "+fmt.Sprintf(format, values...))
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			say("%s: %s", condition.Reason, condition.Message)
		}
	}
	for _, container := range containers(pod) {
		state := container.State
		switch {
		case state.Waiting != nil && !slices.Contains(usual, state.Waiting.Reason):
			say("container %s: %s: %s", container.Name, state.Waiting.Reason, state.Waiting.Message)
		case state.Terminated != nil && state.Terminated.ExitCode != 0:
			say("container %s: ended with code %d (%s) %s", container.Name,
				state.Terminated.ExitCode, state.Terminated.Reason, state.Terminated.Message)
		}
	}
	return found
}

// usual has the states that every container passes on its way.
var usual = []string{"ContainerCreating", "PodInitializing"}

func containers(pod corev1.Pod) []corev1.ContainerStatus {
	return slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses)
}

// warningEvents returns the latest warnings about an object.
func warningEvents(
	ctx context.Context, c *cluster.Cluster, namespace string, uid types.UID,
) []string {
	events, err := c.Typed.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{
		FieldSelector: fields.Set{"involvedObject.uid": string(uid), "type": "Warning"}.String(),
	})
	if err != nil {
		return nil
	}
	slices.SortFunc(events.Items, func(a, b corev1.Event) int {
		return b.LastTimestamp.Compare(a.LastTimestamp.Time)
	})
	var found []string
	for _, event := range events.Items[:min(len(events.Items), maxEvents)] {
		found = append(found, fmt.Sprintf("event of %s %s: %s: %s",
			strings.ToLower(event.InvolvedObject.Kind), event.InvolvedObject.Name,
			event.Reason, event.Message))
	}
	return found
}

// lastWords returns the end of the log of each container that ended.
func lastWords(ctx context.Context, c *cluster.Cluster, pod corev1.Pod) []string {
	var found []string
	for _, container := range containers(pod) {
		ended := container.State.Terminated != nil
		if !ended && container.LastTerminationState.Terminated == nil {
			continue
		}
		lines := int64(logLines)
		said, err := c.Typed.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{
			Container: container.Name, Previous: !ended, TailLines: &lines,
		}).DoRaw(ctx)
		if text := strings.TrimSpace(string(said)); err == nil && text != "" {
			found = append(found, fmt.Sprintf("pod %s: container %s said last:\n%s",
				pod.Name, container.Name, text))
		}
	}
	return found
}
