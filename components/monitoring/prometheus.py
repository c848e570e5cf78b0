"""Prometheus: asks everybody for figures, keeps them, and says when a rule holds.

There are two where there are two nodes, each on its own with its own disk, and neither knows of
the other: both tell every Alertmanager, which takes the same alert once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from ..connector import NAMESPACE as TUNNEL
from ..monitoring_section import Volume
from . import access
from .names import EXPORTERS, FIGURES, NAMESPACE, Body, budget, config_map, service
from .pods import Program, empty, files, pod, resources, several
from .scraping import DATABASE_AUTHORITY, Job

NAME = "prometheus"
PORT = 9090
DATA, RULES, SETTINGS = "/prometheus", "/etc/prometheus-rules", "/etc/prometheus"
EVERY = "15s"
"""How often everybody is asked, and every rule is looked at; rules of 15 s go by it."""
RULES_OF = "prometheus-rules"


def settings(jobs: Sequence[Job]) -> Body:
    """Return prometheus.yml."""
    return {
        "global": {"scrape_interval": EVERY, "evaluation_interval": EVERY},
        "rule_files": [f"{RULES}/*.yaml"],
        "alerting": {
            "alertmanagers": [
                {
                    "kubernetes_sd_configs": [
                        {"role": "pod", "namespaces": {"names": [NAMESPACE]}}
                    ],
                    "relabel_configs": [
                        _keep("__meta_kubernetes_pod_label_app_kubernetes_io_name", "alertmanager"),
                        _keep("__meta_kubernetes_pod_container_port_name", FIGURES),
                    ],
                }
            ]
        },
        "scrape_configs": list(jobs),
    }


def _keep(label: str, what: str) -> Body:
    return {"source_labels": [label], "regex": what, "action": "keep"}


def objects(
    image: str,
    replicas: int,
    retention_days: int,
    volume: Volume | None,
    told: pulumi.Input[str],
) -> dict[str, Body]:
    """Return what runs it, by what it is called."""
    # A disk that is full takes nothing more: the oldest goes before that.
    room = [f"--storage.tsdb.retention.size={volume.gib * 800}MB"] if volume else []
    program = Program(
        name=NAME,
        image=image,
        args=[
            f"--config.file={SETTINGS}/prometheus.yml",
            f"--storage.tsdb.path={DATA}",
            f"--web.listen-address=0.0.0.0:{PORT}",
            f"--storage.tsdb.retention.time={retention_days}d",
            *room,
        ],
        ports={FIGURES: PORT},
        ready={"path": "/-/ready", "port": FIGURES},
        live={"path": "/-/healthy", "port": FIGURES},
        resources=resources("100m", "256Mi", "1Gi"),
        mounts={SETTINGS: "settings", RULES: "rules", DATA: "data"},
        written=frozenset({"data"}),
    )
    template = pod(
        program,
        [
            files("settings", NAME),
            files("rules", RULES_OF),
            *([] if volume else [empty("data", "8Gi")]),
        ],
        account=NAME,
        told=told,
        # What it has in memory is written down first.
        terminationGracePeriodSeconds=120,
    )
    claims = [_claim(volume)] if volume else []
    return {
        "pods": several(program, replicas, template, claims),
        "service": service(NAME, {FIGURES: PORT}, each=True),
        "budget": budget(NAME),
    }


def _claim(volume: Volume) -> Body:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": volume.storage_class,
            "resources": {"requests": {"storage": f"{volume.gib}Gi"}},
        },
    }


def told(
    settings: pulumi.Input[str], rules: Mapping[str, str], authority: pulumi.Input[str] | None
) -> list[Body]:
    """Return the files that it reads."""
    own: dict[str, Any] = {"prometheus.yml": settings}
    if authority is not None:
        own[DATABASE_AUTHORITY.rpartition("/")[2]] = authority
    return [config_map(NAME, own), config_map(RULES_OF, rules)]


def allowed() -> list[Body]:
    """Return what it may ask the cluster: who is there, and for figures."""
    seen = [access.Rule(resources=("pods",), verbs=access.WATCH)]
    return [
        access.account(NAME),
        access.cluster_role(
            NAME,
            [
                access.Rule(resources=("nodes",), verbs=access.WATCH),
                access.Rule(resources=("nodes/metrics",), verbs=("get",)),
                access.Rule(paths=("/metrics", "/metrics/cadvisor"), verbs=("get",)),
            ],
        ),
        access.cluster_binding(NAME),
        *(
            body
            for namespace in (NAMESPACE, EXPORTERS, TUNNEL)
            for body in (access.role(NAME, namespace, seen), access.binding(NAME, namespace))
        ),
    ]
