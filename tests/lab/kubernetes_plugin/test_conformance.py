"""Every kind of the platform through whichever kubernetes plugin is there: official or ours."""

from __future__ import annotations

from collections import Counter

import pytest

from .api import ApiError

pytestmark = [pytest.mark.engine, pytest.mark.cluster]

KINDS = {
    "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition": 2,
    "kubernetes:apps/v1:DaemonSet": 1,
    "kubernetes:apps/v1:Deployment": 2,
    "kubernetes:autoscaling/v2:HorizontalPodAutoscaler": 1,
    "kubernetes:batch/v1:Job": 1,
    "kubernetes:core/v1:ConfigMap": 4,
    "kubernetes:core/v1:Namespace": 2,
    "kubernetes:core/v1:NamespacePatch": 1,
    "kubernetes:core/v1:PersistentVolumeClaim": 1,
    "kubernetes:core/v1:Secret": 1,
    "kubernetes:core/v1:Service": 1,
    "kubernetes:core/v1:ServiceAccount": 2,
    "kubernetes:example.org/v1:Widget": 1,
    "kubernetes:metallb.io/v1beta1:IPAddressPool": 1,
    "kubernetes:networking.k8s.io/v1:Ingress": 1,
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": 1,
    "kubernetes:policy/v1:PodDisruptionBudget": 1,
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole": 1,
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": 1,
    "kubernetes:rbac.authorization.k8s.io/v1:Role": 1,
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": 1,
    "kubernetes:storage.k8s.io/v1:StorageClass": 1,
}
COMPONENTS = {
    "kubernetes:helm.sh/v4:Chart": 1,
    "kubernetes:yaml/v2:ConfigFile": 1,
    "kubernetes:yaml/v2:ConfigGroup": 1,
}
# The stack and the provider, besides.
ALL = sum(KINDS.values()) + sum(COMPONENTS.values()) + 2
WEB = "/apis/apps/v1/namespaces/apps/deployments/web"


def test_one_up_makes_all_of_it(shared):
    shared.want("everything")

    assert shared.up() == {"create": ALL}
    types = Counter(resource["type"] for resource in shared.state())
    assert {**KINDS, **COMPONENTS}.items() <= types.items()


def test_a_second_up_changes_nothing(shared):
    assert shared.up() == {"same": ALL}


def test_a_refresh_changes_nothing(shared):
    shared.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert shared.planned() == {}


def test_what_was_made_is_in_the_cluster(shared, cluster):
    deployment = cluster.get(WEB)
    pool = cluster.get("/apis/metallb.io/v1beta1/namespaces/apps/ipaddresspools/pool")
    default = cluster.get("/api/v1/namespaces/default")

    assert deployment["status"]["readyReplicas"] == 2
    assert pool["spec"]["addresses"] == ["192.0.2.0/28"]
    assert default["metadata"]["labels"]["team"] == "ops"
    assert cluster.has(f"/api/v1/namespaces/apps/configmaps/{shared.output('settings')}")


def test_a_change_of_one_field_is_foreseen_and_made_as_just_that(shared, cluster):
    shared.want("everything", replicas=3)

    assert set(shared.planned()) == {"web"}
    assert list(shared.planned()["web"]["detailedDiff"]) == ["spec.replicas"]
    assert shared.up() == {"update": 1, "same": ALL - 1}
    assert cluster.get(WEB)["spec"]["replicas"] == 3


def test_a_change_by_hand_is_seen_and_repaired(shared, cluster):
    cluster.edit(WEB, {"spec": {"replicas": 5}})

    assert shared.refresh()["update"] == 1
    assert list(shared.planned()) == ["web"]
    assert shared.up() == {"update": 1, "same": ALL - 1}
    assert cluster.get(WEB)["spec"]["replicas"] == 3
    assert shared.up() == {"same": ALL}


def test_a_custom_resource_changed_by_hand_is_seen(shared, cluster):
    pool = "/apis/metallb.io/v1beta1/namespaces/apps/ipaddresspools/pool"
    cluster.edit(pool, {"spec": {"addresses": ["198.51.100.0/28"]}})

    assert shared.refresh()["update"] == 1
    # Who edited owns the field now, and the program does not take it over.
    assert ".spec.addresses" in shared.fails("preview")
    cluster.edit(pool, {"spec": {"addresses": ["192.0.2.0/28"]}})
    shared.refresh()
    assert shared.up() == {"same": ALL}


def test_what_somebody_deleted_is_made_again(shared, cluster):
    cluster.call(
        "DELETE", "/apis/policy/v1/namespaces/apps/poddisruptionbudgets/" + budget(cluster)
    )

    shared.refresh()

    assert shared.up()["create"] == 1


def test_new_contents_of_a_config_map_replace_it_and_the_pods_see_them(shared, cluster):
    before = shared.output("settings")
    shared.want("everything", replicas=3, greeting="good evening")

    changes = shared.up()

    after = shared.output("settings")
    assert changes["replace"] == 1
    assert changes["update"] == 1
    assert after != before
    assert not cluster.has(f"/api/v1/namespaces/apps/configmaps/{before}")
    container = cluster.get(WEB)["spec"]["template"]["spec"]["containers"][0]
    assert container["envFrom"] == [{"configMapRef": {"name": after}}]


def test_destroy_leaves_nothing_but_what_the_chart_keeps(shared, cluster):
    # The kept one goes with its namespace, which the program owns.
    shared.pulumi("destroy", "--yes", "--skip-preview")

    assert shared.state() == []
    for path in (
        "namespaces/apps",
        "namespaces/from-file",
        "namespaces/default/configmaps/from-yaml",
    ):
        with pytest.raises(ApiError, match="404"):
            cluster.get(f"/api/v1/{path}")
    assert "team" not in cluster.get("/api/v1/namespaces/default")["metadata"].get("labels", {})
    assert cluster.items("/apis/apps/v1/deployments") == []


def budget(cluster) -> str:
    (found,) = cluster.items("/apis/policy/v1/namespaces/apps/poddisruptionbudgets")
    return found["metadata"]["name"]
