package objects

import (
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Pulumi's annotations, each as the official provider documents it.
const (
	Autonamed         = "pulumi.com/autonamed"
	SkipAwait         = "pulumi.com/skipAwait"
	WaitFor           = "pulumi.com/waitFor"
	ReplaceUnready    = "pulumi.com/replaceUnready"
	PatchForce        = "pulumi.com/patchForce"
	patchFieldManager = "pulumi.com/patchFieldManager"
	timeoutSeconds    = "pulumi.com/timeoutSeconds"
	deletionPolicy    = "pulumi.com/deletionPropagationPolicy"

	// Not one of the official provider's.
	managed = "pulumi.com/managed"
)

const defaultTimeout = 10 * time.Minute

// Annotated tells whether an annotation says "true".
func Annotated(object *unstructured.Unstructured, name string) bool {
	return object.GetAnnotations()[name] == "true"
}

// ManagerGiven returns the field manager that the program names, or nothing.
func ManagerGiven(object *unstructured.Unstructured) string {
	return object.GetAnnotations()[patchFieldManager]
}

// Timeout returns how long an operation may take: the resource's own option counts before the
// annotation.
func Timeout(object *unstructured.Unstructured, option float64) time.Duration {
	if option > 0 {
		return time.Duration(option * float64(time.Second))
	}
	seconds, err := strconv.Atoi(object.GetAnnotations()[timeoutSeconds])
	if err != nil {
		return defaultTimeout
	}
	return time.Duration(seconds) * time.Second
}

// Propagation returns what happens to the objects that a deleted one owns.
func Propagation(object *unstructured.Unstructured) metav1.DeletionPropagation {
	switch strings.ToLower(object.GetAnnotations()[deletionPolicy]) {
	case "orphan":
		return metav1.DeletePropagationOrphan
	case "background":
		return metav1.DeletePropagationBackground
	}
	return metav1.DeletePropagationForeground
}
