package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"coldstorage.local/lab/kubernetes_plugin/internal/objects"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// As says under which name fields are owned, and how.
type As struct {
	Manager string
	// Force takes fields that others own.
	Force bool
	// Preview asks what would come of it, and changes nothing.
	Preview bool
}

// Apply sends the object by server-side apply and returns what became of it.
func (c *Cluster) Apply(
	ctx context.Context, object *unstructured.Unstructured, as As,
) (*unstructured.Unstructured, error) {
	endpoint, namespace, err := c.endpoint(object)
	if err != nil {
		return nil, err
	}
	applied := objects.Applied(object)
	applied.SetNamespace(namespace)
	body, err := json.Marshal(applied.Object)
	if err != nil {
		return nil, err
	}
	options := metav1.PatchOptions{
		FieldManager: as.Manager, Force: &as.Force, FieldValidation: metav1.FieldValidationWarn,
	}
	if as.Preview {
		options.DryRun = []string{metav1.DryRunAll}
	}
	live, err := endpoint.Patch(ctx, object.GetName(), types.ApplyPatchType, body, options)
	return live, explained(err)
}

// Get returns the live object of that kind and name.
func (c *Cluster) Get(
	ctx context.Context, object *unstructured.Unstructured,
) (*unstructured.Unstructured, error) {
	endpoint, _, err := c.endpoint(object)
	if err != nil {
		return nil, err
	}
	return endpoint.Get(ctx, object.GetName(), metav1.GetOptions{})
}

// Delete asks for the end of an object; it may take its time.
func (c *Cluster) Delete(ctx context.Context, object *unstructured.Unstructured) error {
	endpoint, _, err := c.endpoint(object)
	if err != nil {
		return err
	}
	policy := objects.Propagation(object)
	return endpoint.Delete(ctx, object.GetName(), metav1.DeleteOptions{PropagationPolicy: &policy})
}

// Owns tells whether fields of the live object were applied under a name.
func Owns(live *unstructured.Unstructured, manager string) bool {
	return slices.ContainsFunc(live.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Manager == manager && entry.Operation == metav1.ManagedFieldsOperationApply
	})
}

// Gone tells whether an error means that an object is not there, nor can be: its kind neither.
func Gone(err error) bool { return apierrors.IsNotFound(err) || meta.IsNoMatchError(err) }

// explained says of a conflict which field belongs to whom, and what can be done.
func explained(err error) error {
	status, ok := err.(apierrors.APIStatus)
	if !ok || !apierrors.IsConflict(err) || status.Status().Details == nil {
		return err
	}
	var lines []string
	for _, cause := range status.Status().Details.Causes {
		if cause.Type == metav1.CauseTypeFieldManagerConflict {
			lines = append(lines, fmt.Sprintf("  %s: %s", cause.Field, cause.Message))
		}
	}
	if len(lines) == 0 {
		return err
	}
	slices.Sort(lines)
	return fmt.Errorf("server-side apply conflict, others own fields that the program sets:\n%s\n"+
		"leave these fields out of the program, or take them over with the annotation %s: \"true\"",
		strings.Join(lines, "\n"), objects.PatchForce)
}
