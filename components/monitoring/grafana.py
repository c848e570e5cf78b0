"""Grafana: shows what Prometheus keeps, in pictures that are declared; it keeps nothing itself.

It is reached from within the cluster alone (`kubectl port-forward`): the page of the infrastructure
that the world sees is the application's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import pulumi
import yaml

from ..in_cluster import encoded
from . import prometheus
from .dashboards import Dashboard
from .names import FIGURES, Body, config_map, labels, metadata, service
from .pods import Program, empty, files, pod, resources

NAME = "grafana"
PORT = 3000
USER = 472
SHOWN, DATA, SECRETS = "/etc/dashboards", "/var/lib/grafana", "/run/secrets/grafana"
_PROVISIONING = "/etc/grafana/provisioning"
_SOURCE = {
    "apiVersion": 1,
    "datasources": [
        {
            "name": "Prometheus",
            "type": "prometheus",
            "uid": prometheus.NAME,
            "url": f"http://{prometheus.NAME}:{prometheus.PORT}",
            "access": "proxy",
            "isDefault": True,
            "editable": False,
            "jsonData": {"timeInterval": prometheus.EVERY},
        }
    ],
}
_PROVIDER = {
    "apiVersion": 1,
    "providers": [
        {
            "name": "declared",
            "type": "file",
            "disableDeletion": True,
            "allowUiUpdates": False,
            "options": {"path": SHOWN},
        }
    ],
}


def told(dashboards: Sequence[Dashboard]) -> list[Body]:
    """Return the files that it reads: where figures come from, and what is drawn of them."""
    drawn = {f"{one.uid}.json": json.dumps(one.body, sort_keys=True) for one in dashboards}
    return [
        config_map("grafana-source", {"prometheus.yaml": yaml.safe_dump(_SOURCE)}),
        config_map("grafana-provider", {"declared.yaml": yaml.safe_dump(_PROVIDER)}),
        config_map("grafana-dashboards", drawn),
    ]


def hidden(password: pulumi.Input[str]) -> Body:
    """Return the administrator's password."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(NAME),
        "data": encoded({"password": password}),
    }


def objects(image: str, told: pulumi.Input[str]) -> dict[str, Body]:
    """Return what runs it, by what it is called."""
    program = Program(
        name=NAME,
        image=image,
        args=[],
        ports={FIGURES: PORT},
        ready={"path": "/api/health", "port": FIGURES},
        live={"path": "/api/health", "port": FIGURES},
        resources=resources("50m", "128Mi", "512Mi"),
        mounts={
            f"{_PROVISIONING}/datasources": "source",
            f"{_PROVISIONING}/dashboards": "provider",
            SHOWN: "dashboards",
            SECRETS: "secrets",
            DATA: "data",
            "/tmp": "scratch",  # noqa: S108 - a volume of this pod alone
        },
        written=frozenset({"data", "scratch"}),
        environment={
            "GF_SECURITY_ADMIN_PASSWORD__FILE": f"{SECRETS}/password",
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
            "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
            "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
            "GF_PLUGINS_PREINSTALL_DISABLED": "true",
            "GF_USERS_ALLOW_SIGN_UP": "false",
        },
    )
    volumes = [
        *(files(part, f"grafana-{part}") for part in ("source", "provider", "dashboards")),
        {"name": "secrets", "secret": {"secretName": NAME, "defaultMode": 0o440}},
        empty("data", "1Gi"),
        empty("scratch", "256Mi"),
    ]
    return {
        "pods": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata(NAME),
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": labels(NAME)},
                "template": pod(program, volumes, user=USER, told=told),
            },
        },
        "service": service(NAME, {FIGURES: PORT}),
    }
