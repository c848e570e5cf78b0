"""A platform that is watched: a node with a tunnel, two database machines, and who looks at it all.

The monitoring is what the program's own component asks for, with the lab's images. A node more than
one would only take longer: that there are two of each is a matter of the plan.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pulumi

from components.in_cluster import Inside
from components.monitoring import Monitoring, MonitoringArgs
from components.monitoring.names import FIGURES, NAMESPACE
from components.monitoring.scraping import DatabaseTier
from components.monitoring_section import Images, Mail, Volume, Webhook
from components.monitoring_section import Monitoring as Section
from components.traffic import Traffic
from components.traffic_of_stack import traffic_of
from lab.alert_receivers import MAIL, WEBHOOK
from lab.internet import Site
from lab.monitoring_images import pinned_in
from ops.stack_files import settings_of
from tests.lab.database.tier import Tier
from tests.lab.machines.conftest import DATABASE, MACHINES, NETWORK
from tests.recording import run

from .behind_the_tunnel import Behind, behind_the_tunnel, beside, whole
from .conftest import SERVERS, Cluster

NODE, DATABASES = SERVERS[0], tuple(DATABASE[:2])
"""A tier of one has nobody who confirms its writes, and is told of from the start."""
NO_IMAGE = f"any/image:v1@sha256:{'0' * 64}"
PASSWORD, TOKEN = "canary-password-of-the-mail", "canary-token-of-the-webhook"
VOLUME = Volume(storage_class="by-hand", gib=1)


@dataclass
class Watched:
    """What watches, what is watched, and what was heard."""

    behind: Behind
    tier: Tier
    heard_in: Path
    took: dict[str, float] = field(default_factory=dict)
    forgotten: int = 0

    @property
    def cluster(self) -> Cluster:
        return self.behind.cluster

    def asked(self, program: str, path: str) -> Any:
        """Return what Prometheus or Alertmanager answers, asked through the cluster's API."""
        service = f"/api/v1/namespaces/{NAMESPACE}/services/{program}:{FIGURES}/proxy"
        return json.loads(self.cluster.kubectl(f"get --raw '{service}{path}'"))

    def query(self, expression: str) -> list[dict[str, Any]]:
        answer = self.asked("prometheus", f"/api/v1/query?query={quote(expression)}")
        return list(answer["data"]["result"])

    def targets(self) -> dict[str, list[str]]:
        """Return who is asked, by job: how it goes, or why it does not."""
        found: dict[str, list[str]] = {}
        for one in self.asked("prometheus", "/api/v1/targets?state=active")["data"][
            "activeTargets"
        ]:
            said = (
                one["health"]
                if one["health"] == "up"
                else f"{one['scrapeUrl']}: {one['lastError']}"
            )
            found.setdefault(one["labels"]["job"], []).append(said)
        return found

    def firing(self) -> set[str]:
        """Return the alerts that Prometheus has."""
        return {one["metric"]["alertname"] for one in self.query('ALERTS{alertstate="firing"}')}

    def forget(self) -> None:
        """Have nothing count that was heard until now: what was not yet up was told of too."""
        self.forgotten = len(self._lines())

    def heard(self, by: str) -> list[dict[str, Any]]:
        """Return what was heard one way."""
        lines = map(json.loads, self._lines()[self.forgotten :])
        return [line for line in lines if line["by"] == by]

    def unfinished(self) -> set[str]:
        """Return what was told by mail and not yet that it is over; so long it is told no more."""
        last: dict[str, str] = {}
        for mail in self.heard("mail"):
            status, _, rest = mail["subject"].partition("] ")
            last[rest.partition(" (")[0]] = status
        return {what for what, status in last.items() if status.startswith("[FIRING")}

    def _lines(self) -> list[str]:
        return self.heard_in.read_text().splitlines() if self.heard_in.exists() else []

    def told(self, alert: str, status: str) -> set[str]:
        """Return by which ways it was heard that an alert has a status."""
        hooks = {
            (one["labels"]["alertname"], one["status"])
            for told in self.heard("webhook")
            for one in told["alerts"]
        }
        word = {"firing": "[FIRING", "resolved": "[RESOLVED"}[status]
        mails = [m for m in self.heard("mail") if word in m["subject"] and alert in m["subject"]]
        return {*(["webhook"] if (alert, status) in hooks else []), *(["mail"] if mails else [])}


def section(images: Mapping[str, str]) -> Section:
    """Return what a stack file would say."""
    where = Site.RECEIVERS.address
    return Section(
        dashboard_path="/infrastructure",
        retention_days=30,
        images=Images(**images),
        mail=Mail(
            server=f"{where}:{MAIL}",
            sender="platform@cold.example",
            recipients=("on-call@cold.example",),
            user="platform",
        ),
        webhook=Webhook(url=f"https://{where}:{WEBHOOK}/alerts"),
        volume=VOLUME,
    )


def traffic() -> Traffic:
    """Return who may talk to whom: where somebody is told does not hang on images."""
    wanted = section(dict.fromkeys(Images.model_fields, NO_IMAGE))
    return traffic_of(replace(settings_of("testing"), monitoring=wanted))


def manifests(images: Mapping[str, str], authority: str) -> list[dict[str, Any]]:
    """Return what the program asks the cluster for."""
    wanted = section(images)
    assert wanted.images

    def program() -> None:
        inside = Inside(
            provider=pulumi.ProviderResource("kubernetes", "k", {}),
            cluster=pulumi.CustomResource("test:index:Cluster", "nodes", {}),
            kubeconfig=pulumi.Output.secret("none"),
            traffic=traffic(),
        )
        addresses = {name: IPv4Address(MACHINES[name]["address"]) for name in DATABASES}
        args = MonitoringArgs(
            wanted=wanted,
            images=wanted.images,
            replicas=1,
            tier=DatabaseTier(
                machines=addresses,
                virtual_address=IPv4Address(NETWORK["database_address"]),
            ),
            authority=authority,
            mail_password=pulumi.Output.secret(PASSWORD),
            webhook_token=pulumi.Output.secret(TOKEN),
        )
        Monitoring("monitoring", args, inside)

    return [whole(r.inputs) for r in run(program).resources if r.type.startswith("kubernetes:")]


def grafana() -> list[dict[str, Any]]:
    """Return what the program asks for where there is an image of Grafana, with all the rest."""
    return manifests(dict.fromkeys(Images.model_fields, NO_IMAGE), "none")


@contextmanager
def watched(cluster: Cluster, folder: Path) -> Iterator[Watched]:
    """Have all of it."""
    tier = Tier(cluster.lab, names=DATABASES)
    with ThreadPoolExecutor() as pool, ExitStack() as running:
        made = pool.submit(_database, tier)
        behind = running.enter_context(behind_the_tunnel(cluster, folder, [NODE], traffic()))
        heard = folder / "heard"
        receivers = behind.registry.authority.issue("receivers", Site.RECEIVERS.address)
        words = ("-m", "lab.alert_receivers", Site.RECEIVERS.address, str(receivers), str(heard))
        command = cluster.lab.network.command(sys.executable, *words)
        beside(command, folder / "receivers.log", running)
        images = pinned_in(behind.registry)["monitoring"]["images"]
        cluster.lab.machines[NODE].ssh("mkdir -p /var/lib/by-hand")
        cluster.apply(_disk())
        cluster.apply(*manifests(images, tier.trusted), *_autoscaled())
        made.result()
        yield Watched(behind, tier, heard)


def _database(tier: Tier) -> None:
    tier.start(*tier.names)
    tier.apply()


def _disk() -> dict[str, Any]:
    """Return a disk for Prometheus, which a storage class makes where there is one."""
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": "by-hand"},
        "spec": {
            "capacity": {"storage": f"{VOLUME.gib}Gi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": VOLUME.storage_class,
            "local": {"path": "/var/lib/by-hand"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }


def _autoscaled() -> Sequence[dict[str, Any]]:
    """Return an autoscaler, of which figures are told as of those of the application."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "cloudflared"}
    return [
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "any", "namespace": "tunnel"},
            "spec": {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 1},
        }
    ]
