"""What Prometheus asks for figures, and how: its jobs as data.

``job`` and ``machine`` are what rules go by. A machine of the database tier also bears
``virtual_address``; no job inside the cluster is called ``node``, which is that tier's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from ..connector import NAMESPACE as TUNNEL
from .names import EXPORTERS, FIGURES, NAMESPACE

Job = dict[str, Any]
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
DATABASE_AUTHORITY = "/etc/prometheus/database.pem"
NODE, POSTGRES, PATRONI, ETCD = 9100, 9187, 8008, 2381
"""Where a machine of the database tier tells, as ``hosts/`` has it."""
API_PORT = 6443
# Of thousands of series those that a rule or a picture speaks of.
_OF_THE_KUBELET = "kubelet_(running_pods|volume_stats_(available|capacity)_bytes)"
_OF_CONTAINERS = (
    "container_(cpu_usage_seconds_total|cpu_cfs_(throttled_)?periods_total"
    "|memory_working_set_bytes|oom_events_total|network_(receive|transmit)_bytes_total)"
)
_OF_THE_API = (
    "apiserver_(request_total|request_duration_seconds_(bucket|sum|count)"
    "|current_inflight_requests|storage_objects)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseTier:
    """The machines that are asked, and the address that one of them holds."""

    machines: Mapping[str, IPv4Address]
    virtual_address: IPv4Address


def jobs(tier: DatabaseTier | None) -> list[Job]:
    """Return all jobs of a stack."""
    return [
        _pods("prometheus", NAMESPACE),
        _pods("alertmanager", NAMESPACE),
        _pods("kube-state-metrics", NAMESPACE, one=True),
        _pods("k3s-node", EXPORTERS, "node-exporter"),
        _pods("cloudflared", TUNNEL, port="metrics"),
        _nodes("kubelet", _OF_THE_KUBELET),
        _nodes("cadvisor", _OF_CONTAINERS, path="/metrics/cadvisor"),
        _api(),
        *(_of_database(tier) if tier else []),
    ]


def _pods(
    job: str, namespace: str, called: str = "", *, port: str = FIGURES, one: bool = False
) -> Job:
    """Return the job of pods of a name; of ``one`` that tells of all others, only what it says."""
    known = {
        "pod": "__meta_kubernetes_pod_name",
        "machine": "__meta_kubernetes_pod_node_name",
    }
    return {
        "job_name": job,
        "kubernetes_sd_configs": [{"role": "pod", "namespaces": {"names": [namespace]}}],
        "honor_labels": one,
        "relabel_configs": [
            _keep("__meta_kubernetes_pod_label_app_kubernetes_io_name", called or job),
            _keep("__meta_kubernetes_pod_container_port_name", port),
            # A job's pod that has ended tells nothing any more.
            {**_keep("__meta_kubernetes_pod_phase", "Succeeded|Failed"), "action": "drop"},
            *(
                # Another pod of it goes on with the same series.
                [{"target_label": "instance", "replacement": job}]
                if one
                else [_named(label, source) for label, source in known.items()]
            ),
        ],
    }


def _nodes(job: str, names: str, path: str = "/metrics") -> Job:
    return {
        "job_name": job,
        "kubernetes_sd_configs": [{"role": "node"}],
        "metrics_path": path,
        **_as_an_account(),
        "relabel_configs": [_named("machine", "__meta_kubernetes_node_name")],
        "metric_relabel_configs": [_keep("__name__", names)],
    }


def _api() -> Job:
    """Return the job of each server's API, which its node tells by its role."""
    server = "__meta_kubernetes_node_labelpresent_node_role_kubernetes_io_control_plane"
    return {
        "job_name": "apiserver",
        "kubernetes_sd_configs": [{"role": "node"}],
        **_as_an_account(),
        "relabel_configs": [
            _keep(server, "true"),
            _named("machine", "__meta_kubernetes_node_name"),
            {
                "source_labels": ["__address__"],
                "regex": "(.+):[0-9]+",
                "target_label": "__address__",
                "replacement": f"$1:{API_PORT}",
            },
        ],
        "metric_relabel_configs": [_keep("__name__", _OF_THE_API)],
    }


def _of_database(tier: DatabaseTier) -> list[Job]:
    encrypted = {"scheme": "https", "tls_config": {"ca_file": DATABASE_AUTHORITY}}
    return [
        _machines("node", NODE, tier, encrypted),
        _machines("postgres", POSTGRES, tier, encrypted),
        _machines("patroni", PATRONI, tier, encrypted),
        # etcd tells its figures in the clear, or to those who may change it.
        _machines("etcd", ETCD, tier, {}),
    ]


def _machines(job: str, port: int, tier: DatabaseTier, how: Mapping[str, Any]) -> Job:
    return {
        "job_name": job,
        **how,
        "static_configs": [
            {
                "targets": [f"{address}:{port}"],
                "labels": {"machine": name, "virtual_address": str(tier.virtual_address)},
            }
            for name, address in tier.machines.items()
        ],
    }


def _as_an_account() -> Job:
    return {
        "scheme": "https",
        "authorization": {"credentials_file": f"{ACCOUNT}/token"},
        "tls_config": {"ca_file": f"{ACCOUNT}/ca.crt"},
    }


def _keep(label: str, what: str) -> Job:
    return {"source_labels": [label], "regex": what, "action": "keep"}


def _named(label: str, source: str) -> Job:
    return {"source_labels": [source], "target_label": label}
