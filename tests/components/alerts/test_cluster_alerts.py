"""Each alert of the cluster fires when it should and is silent when all is well."""

from __future__ import annotations

from components.application_objects import NAMESPACE
from components.settings import PROJECT

from .rules import Series, alerts_in

RULES = PROJECT / "components" / "alerts" / "cluster.yaml"
ALERTS = alerts_in(RULES)
PORTAL = '{namespace="application",deployment="employee"}'


def one(series: str, value: object) -> Series:
    """Return a series that stays as it is."""
    return {series: f"{value}x200"}


def condition(kind: str, status: str, value: int) -> Series:
    """Return what is known of a node."""
    return one(
        f'kube_node_status_condition{{node="a",condition="{kind}",status="{status}"}}', value
    )


def deployed(available: int, wanted: int = 3) -> Series:
    """Return what is known of a deployment."""
    return one(f"kube_deployment_status_replicas_available{PORTAL}", available) | one(
        f"kube_deployment_spec_replicas{PORTAL}", wanted
    )


def a_set(kind: str, ready: str, wanted: str, there: int) -> Series:
    """Return what is known of a set of two pods."""
    which = f'{{namespace="monitoring",{kind}="a"}}'
    return one(f"{ready}{which}", there) | one(f"{wanted}{which}", 2)


def requests(failed: int) -> Series:
    """Return an API with 100 requests a step, of which some fail."""
    return {
        'apiserver_request_total{code="200"}': f"0+{100 - failed}x200",
        'apiserver_request_total{code="500"}': f"0+{failed}x200",
    }


def scaled(now: int) -> Series:
    """Return an autoscaler of 3 to 6 pods."""
    each = {"status_current": now, "spec_max": 6, "spec_min": 3}
    return {
        f'kube_horizontalpodautoscaler_{what}_replicas{{horizontalpodautoscaler="a"}}': f"{n}x200"
        for what, n in each.items()
    }


def volume(free: int) -> Series:
    """Return a volume of 100 bytes."""
    return one('kubelet_volume_stats_available_bytes{persistentvolumeclaim="a"}', free) | one(
        'kubelet_volume_stats_capacity_bytes{persistentvolumeclaim="a"}', 100
    )


DAEMONS = (
    "daemonset",
    "kube_daemonset_status_number_available",
    "kube_daemonset_status_desired_number_scheduled",
)
STATEFUL = (
    "statefulset",
    "kube_statefulset_status_replicas_ready",
    "kube_statefulset_replicas",
)
PROGRESS = f'kube_deployment_status_condition{PORTAL[:-1]},condition="Progressing",status="false"}}'
PHASE = 'kube_pod_status_phase{{namespace="a",pod="b",phase="{}"}}'
RESTARTS = 'kube_pod_container_status_restarts_total{namespace="a",pod="b",container="c"}'
CASES = {
    "NodeNotReady": (condition("Ready", "true", 0), condition("Ready", "true", 1)),
    "NodeUnderPressure": (
        condition("DiskPressure", "true", 1),
        condition("DiskPressure", "true", 0) | condition("Ready", "true", 1),
    ),
    "ApiFails": (requests(10), requests(1)),
    "PortalWithoutPods": (deployed(0), deployed(1)),
    "PodsMissing": (deployed(2), deployed(3)),
    "PodsOfASetMissing": (
        a_set(*DAEMONS, 2) | a_set(*STATEFUL, 1),
        a_set(*DAEMONS, 2) | a_set(*STATEFUL, 2),
    ),
    "RolloutStuck": (one(PROGRESS, 1), one(PROGRESS, 0)),
    "PodRestartsAgainAndAgain": ({RESTARTS: "0+1x200"}, {RESTARTS: "1x200"}),
    "PodHasNoPlace": (
        one(PHASE.format("Pending"), 1),
        one(PHASE.format("Pending"), 0) | one(PHASE.format("Failed"), 1),
    ),
    "AutoscalerAtItsEnd": (scaled(6), scaled(5)),
    "VolumeFilling": (volume(10), volume(30)),
}


def test_alerts_speak_of_what_the_program_makes():
    assert f'namespace="{NAMESPACE}"' in ALERTS["PortalWithoutPods"]["expr"]
