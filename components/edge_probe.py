"""Whether requests come through: asked every minute from the cluster, by way of Cloudflare's edge.

A connector may be connected, say so, and answer nothing. The edge spreads requests over all
connections, so several are made, and one that fails fails the job: its failure is what
``kube_job_status_failed`` and ``kube_cronjob_status_last_successful_time`` show, and its log says
which status came, or that none did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from .connector import NAMESPACE
from .in_cluster import InCluster, Inside
from .pods import RESTRICTED, restricted

CONNECTIONS_EACH = 4
"""So many a connector holds open to the edge."""
ANSWER_SECONDS = 5
DEADLINE_SECONDS = 50
USER = 65534
LABELS = {"app.kubernetes.io/name": "edge-probe"}


@dataclass(frozen=True, kw_only=True, slots=True)
class EdgeProbeArgs:
    """What an :class:`EdgeProbe` needs to know."""

    image: str
    """Of curl."""
    url: str
    """A page that everybody may see; what is behind access is answered without the tunnel."""
    connectors: int
    guarded: Sequence[pulumi.Resource]
    """The namespace of the connectors, with its policies."""

    @property
    def requests(self) -> int:
        """Return how many are made, so that each connection most likely gets one."""
        return CONNECTIONS_EACH * self.connectors


class EdgeProbe(InCluster):
    """A job that asks for a page through the edge, every minute."""

    def __init__(
        self,
        name: str,
        args: EdgeProbeArgs,
        inside: Inside,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("EdgeProbe", name, inside, opts)
        self._object(f"{name}-job", _cron_job(args), after=args.guarded)
        self.register_outputs({})


def _cron_job(args: EdgeProbeArgs) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "edge-probe", "namespace": NAMESPACE, "labels": dict(LABELS)},
        "spec": {
            "schedule": "* * * * *",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 30,
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {
                "spec": {
                    # It failed: what a second try would say belongs to the next minute.
                    "backoffLimit": 0,
                    "activeDeadlineSeconds": DEADLINE_SECONDS,
                    "template": {"metadata": {"labels": dict(LABELS)}, "spec": _pod(args)},
                }
            },
        },
    }


def _pod(args: EdgeProbeArgs) -> dict[str, Any]:
    # A number in the address: nothing on the way may answer out of a cache.
    pages = f"{args.url}?edge-probe=[1-{args.requests}]"
    quietly = ("--silent", "--show-error", "--output", "/dev/null")
    strictly = ("--fail", "--fail-early", "--max-time", str(ANSWER_SECONDS))
    told = ("--write-out", "%{http_code} after %{time_total} s, %{errormsg}\\n")
    return {
        "automountServiceAccountToken": False,
        "restartPolicy": "Never",
        "securityContext": restricted(USER),
        "containers": [
            {
                "name": "curl",
                "image": args.image,
                "command": ["curl", *quietly, *strictly, *told, pages],
                "resources": {
                    "requests": {"cpu": "10m", "memory": "16Mi"},
                    "limits": {"cpu": "200m", "memory": "64Mi"},
                },
                "securityContext": dict(RESTRICTED),
            }
        ],
    }
