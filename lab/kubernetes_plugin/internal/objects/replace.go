package objects

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// fixed has the fields that Kubernetes never lets change, by kind; a change replaces the object.
var fixed = map[schema.GroupKind][]string{
	{Group: "apps", Kind: "DaemonSet"}:  {"spec.selector"},
	{Group: "apps", Kind: "Deployment"}: {"spec.selector"},
	{Group: "apps", Kind: "StatefulSet"}: {
		"spec.podManagementPolicy", "spec.revisionHistoryLimit", "spec.selector",
		"spec.serviceName", "spec.volumeClaimTemplates",
	},
	{Group: "batch", Kind: "Job"}: {
		"spec.completions", "spec.parallelism", "spec.selector", "spec.template",
	},
	{Kind: "PersistentVolume"}: {
		"spec.cephfs", "spec.csi", "spec.fc", "spec.hostPath", "spec.iscsi", "spec.local",
		"spec.nfs",
	},
	{Kind: "PersistentVolumeClaim"}: {
		"spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName",
	},
	{Kind: "Pod"}:           {"spec"},
	{Kind: "ResourceQuota"}: {"spec.scopes"},
	{Kind: "Secret"}:        {"type"},
	{Kind: "Service"}:       {"spec.clusterIP"},
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}: {"roleRef"},
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:        {"roleRef"},
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"}:              {"value"},
	{Group: "storage.k8s.io", Kind: "StorageClass"}: {
		"parameters", "provisioner", "reclaimPolicy", "volumeBindingMode",
	},
}

// movable has the exceptions within fixed fields.
var movable = map[schema.GroupKind][]string{
	{Kind: "Pod"}: {"spec.activeDeadlineSeconds", "spec.tolerations"},
}

// Mutable says for which kinds the program wants contents changed in place; the official provider
// replaces them by default, so that pods notice by the new name.
type Mutable struct {
	ConfigMaps, Secrets bool
}

// Replaces tells whether a change at the path (as Pulumi writes paths) needs another object.
func (m Mutable) Replaces(object *unstructured.Unstructured, path string, patch bool) bool {
	if under(path, "metadata.name") || under(path, "metadata.namespace") {
		return true
	}
	if patch {
		return false
	}
	kind := object.GroupVersionKind().GroupKind()
	within := func(fields []string) bool {
		return slices.ContainsFunc(fields, func(field string) bool { return under(path, field) })
	}
	return within(fixed[kind]) && !within(movable[kind]) || within(m.contents(object))
}

func (m Mutable) contents(object *unstructured.Unstructured) []string {
	frozen, _ := object.Object["immutable"].(bool)
	switch object.GroupVersionKind().GroupKind() {
	case schema.GroupKind{Kind: "ConfigMap"}:
		if frozen || !m.ConfigMaps {
			return []string{"data", "binaryData"}
		}
	case schema.GroupKind{Kind: "Secret"}:
		if frozen || !m.Secrets {
			return []string{"data", "stringData"}
		}
	}
	return nil
}

// under tells whether a path is the field or inside of it.
func under(path, field string) bool {
	rest, found := strings.CutPrefix(path, field)
	return found && (rest == "" || rest[0] == '.' || rest[0] == '[')
}
