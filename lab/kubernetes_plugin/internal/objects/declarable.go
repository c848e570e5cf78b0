package objects

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// Declarable returns what of a live object a program may have declared: not its status, and not
// what the server keeps for itself.
func Declarable(live *unstructured.Unstructured) map[string]any {
	object := live.DeepCopy()
	delete(object.Object, "status")
	for _, field := range []string{
		"creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation",
		"managedFields", "resourceVersion", "selfLink", "uid",
	} {
		unstructured.RemoveNestedField(object.Object, "metadata", field)
	}
	for _, annotation := range []string{
		"deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration",
	} {
		unstructured.RemoveNestedField(object.Object, "metadata", "annotations", annotation)
	}
	return object.Object
}
