"""Every kind that the platform uses, each at least once."""

import pulumi
import pulumi_kubernetes as k8s

NAMESPACE = "apps"
LABELS = {"app": "web"}
POOL = {
    "api_version": "apiextensions.k8s.io/v1",
    "metadata": {"name": "ipaddresspools.metallb.io"},
    "spec": {
        "group": "metallb.io",
        "scope": "Namespaced",
        "names": {
            "kind": "IPAddressPool",
            "listKind": "IPAddressPoolList",
            "plural": "ipaddresspools",
            "singular": "ipaddresspool",
        },
        "versions": [
            {
                "name": "v1beta1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "required": ["addresses"],
                                "properties": {
                                    "addresses": {"type": "array", "items": {"type": "string"}},
                                    "autoAssign": {"type": "boolean", "default": True},
                                },
                            }
                        },
                    }
                },
            }
        ],
    },
}
MANIFEST = """
apiVersion: v1
kind: ConfigMap
metadata: {name: from-yaml}
data: {greeting: hello}
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ServiceAccount
  metadata: {name: from-list}
"""


def run(
    opts: pulumi.ResourceOptions, replicas: int = 2, image: str = "web:1", greeting: str = "hello"
) -> None:
    """Declare all of it."""
    minute = pulumi.CustomTimeouts(create="60s", update="60s", delete="60s")
    opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(custom_timeouts=minute))
    # A namespace and names that do not change: what is found by hand must be found here.
    namespace = k8s.core.v1.Namespace(NAMESPACE, metadata={"name": NAMESPACE}, opts=opts)
    inside = {"namespace": namespace.metadata.name}
    settings = k8s.core.v1.ConfigMap(
        "settings", metadata=inside, data={"greeting": greeting}, opts=opts
    )
    k8s.core.v1.Secret(
        "password", metadata=inside, string_data={"password": "a secret word"}, opts=opts
    )
    _access(inside, opts)
    web = _workloads(inside, opts, settings, image, replicas)
    _network(inside, opts, web)
    _storage(inside, opts)
    _pool(inside, opts)
    k8s.core.v1.NamespacePatch(
        "label-default", metadata={"name": "default", "labels": {"team": "ops"}}, opts=opts
    )
    k8s.yaml.v2.ConfigGroup("group", yaml=MANIFEST, opts=opts)
    k8s.yaml.v2.ConfigFile("file", file="objects.yaml", opts=opts)
    k8s.helm.v4.Chart(
        "shop",
        chart="./chart",
        namespace=NAMESPACE,
        values={"replicas": 1},
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[namespace])),
    )
    pulumi.export("settings", settings.metadata.name)
    pulumi.export("address", web.spec.cluster_ip)


def _access(inside: dict, opts: pulumi.ResourceOptions) -> None:
    account = k8s.core.v1.ServiceAccount("web", metadata=inside, opts=opts)
    subjects = [{"kind": "ServiceAccount", "name": account.metadata.name, **inside}]
    group = "rbac.authorization.k8s.io"
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]
    rbac = k8s.rbac.v1
    role = rbac.Role("reader", metadata=inside, rules=rules, opts=opts)
    reference = {"apiGroup": group, "kind": "Role", "name": role.metadata.name}
    rbac.RoleBinding("reader", metadata=inside, role_ref=reference, subjects=subjects, opts=opts)
    wide = rbac.ClusterRole("watcher", rules=rules, opts=opts)
    reference = {"apiGroup": group, "kind": "ClusterRole", "name": wide.metadata.name}
    rbac.ClusterRoleBinding("watcher", role_ref=reference, subjects=subjects, opts=opts)


def _workloads(
    inside: dict,
    opts: pulumi.ResourceOptions,
    settings: k8s.core.v1.ConfigMap,
    image: str,
    replicas: int,
) -> k8s.core.v1.Service:
    container = {
        "name": "web",
        "image": image,
        "env_from": [{"config_map_ref": {"name": settings.metadata.name}}],
        "ports": [{"container_port": 8080, "name": "http"}],
        # Spelt as people do: the server says "500m" and "1".
        "resources": {"requests": {"cpu": "0.5", "memory": "64Mi"}, "limits": {"cpu": "1000m"}},
        "readiness_probe": {"http_get": {"path": "/ready", "port": "http"}},
        "security_context": {"run_as_non_root": True, "capabilities": {"drop": ["ALL"]}},
    }
    pod = {
        "metadata": {"labels": LABELS},
        "spec": {"containers": [container], "volumes": [{"name": "tmp", "empty_dir": {}}]},
    }
    selector = {"match_labels": LABELS}
    deployment = k8s.apps.v1.Deployment(
        "web",
        metadata={**inside, "name": "web", "annotations": {"pulumi.com/patchForce": "true"}},
        spec={"replicas": replicas, "selector": selector, "template": pod},
        opts=opts,
    )
    other = {"app": "agent"}
    plain = {
        "metadata": {"labels": other},
        "spec": {"containers": [{"name": "agent", "image": "agent:1"}]},
    }
    k8s.apps.v1.DaemonSet(
        "agent",
        metadata=inside,
        spec={"selector": {"match_labels": other}, "template": plain},
        opts=opts,
    )
    once = {
        "spec": {"restart_policy": "Never", "containers": [{"name": "once", "image": "once:1"}]}
    }
    k8s.batch.v1.Job("once", metadata=inside, spec={"template": once}, opts=opts)
    k8s.policy.v1.PodDisruptionBudget(
        "web", metadata=inside, spec={"max_unavailable": 1, "selector": selector}, opts=opts
    )
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    k8s.autoscaling.v2.HorizontalPodAutoscaler(
        "web",
        metadata=inside,
        spec={"minReplicas": 2, "maxReplicas": 4, "scaleTargetRef": target},
        opts=opts,
    )
    return k8s.core.v1.Service(
        "web",
        metadata={**inside, "name": "web"},
        spec={"selector": LABELS, "ports": [{"port": 80, "target_port": "http"}]},
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[deployment])),
    )


def _network(inside: dict, opts: pulumi.ResourceOptions, web: k8s.core.v1.Service) -> None:
    k8s.networking.v1.NetworkPolicy(
        "deny",
        metadata=inside,
        spec={"pod_selector": {}, "policy_types": ["Ingress", "Egress"]},
        opts=opts,
    )
    backend = {"service": {"name": web.metadata.name, "port": {"number": 80}}}
    path = {"path": "/", "path_type": "Prefix", "backend": backend}
    k8s.networking.v1.Ingress(
        "web",
        metadata=inside,
        spec={"rules": [{"host": "web.example.org", "http": {"paths": [path]}}]},
        opts=opts,
    )


def _storage(inside: dict, opts: pulumi.ResourceOptions) -> None:
    local = k8s.storage.v1.StorageClass(
        "local",
        provisioner="example.org/none",
        volume_binding_mode="WaitForFirstConsumer",
        opts=opts,
    )
    k8s.core.v1.PersistentVolumeClaim(
        "data",
        metadata=inside,
        spec={
            "access_modes": ["ReadWriteOnce"],
            "storage_class_name": local.metadata.name,
            "resources": {"requests": {"storage": "1024Mi"}},
        },
        opts=opts,
    )


def _pool(inside: dict, opts: pulumi.ResourceOptions) -> None:
    definition = k8s.apiextensions.v1.CustomResourceDefinition("pools", **POOL, opts=opts)
    k8s.apiextensions.CustomResource(
        "pool",
        api_version="metallb.io/v1beta1",
        kind="IPAddressPool",
        metadata={**inside, "name": "pool"},
        spec={"addresses": ["192.0.2.0/28"]},
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[definition])),
    )
