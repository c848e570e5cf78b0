"""What watches the platform, in the cluster: figures, rules, and who is told.

docs/decisions/0016 says why it is made of plain objects, and of which.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pulumi
import pulumi_random as random
import yaml

from ..in_cluster import InCluster, Inside
from ..monitoring_section import Images
from ..monitoring_section import Monitoring as Section
from . import alertmanager, grafana, kube_state_metrics, node_exporter, prometheus
from .dashboards import dashboards
from .names import EXPORTERS, NAMESPACE, Body, namespace
from .scraping import DatabaseTier, jobs

ALERTS = Path(__file__).parents[1] / "alerts"


@dataclass(frozen=True, kw_only=True, slots=True)
class MonitoringArgs:
    """What :class:`Monitoring` needs to know."""

    wanted: Section
    images: Images
    replicas: int
    """Of those who must not all be on the node that is lost."""
    tier: DatabaseTier | None = None
    authority: pulumi.Input[str] | None = None
    """Who signed the certificates of the database tier."""
    mail_password: pulumi.Input[str] | None = field(default=None, repr=False)
    webhook_token: pulumi.Input[str] | None = field(default=None, repr=False)

    @property
    def secrets(self) -> dict[str, pulumi.Input[str]]:
        """Return the secrets that there are, by the file that each is."""
        given = {
            alertmanager.PASSWORD: self.mail_password,
            alertmanager.TOKEN: self.webhook_token,
        }
        return {name: secret for name, secret in given.items() if secret is not None}


class Monitoring(InCluster):
    """Prometheus, Alertmanager, the exporters and Grafana."""

    def __init__(
        self,
        name: str,
        args: MonitoringArgs,
        inside: Inside,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Monitoring", name, inside, opts)
        self._name, self._args = name, args
        exporters = f"{name}-{EXPORTERS}"
        spaces = [
            self._object(f"{name}-namespace", namespace(NAMESPACE, "restricted")),
            self._object(f"{exporters}-namespace", namespace(EXPORTERS, "privileged")),
        ]
        self._first: list[pulumi.Resource] = [
            *after,
            *spaces,
            *self._guarded(name, NAMESPACE, after=spaces),
            *self._guarded(exporters, EXPORTERS, after=spaces),
        ]
        images = args.images
        self._run(node_exporter.NAME, [], node_exporter.objects(images.node_exporter))
        self._run(
            kube_state_metrics.NAME,
            kube_state_metrics.allowed(),
            kube_state_metrics.objects(images.kube_state_metrics),
        )
        self._alertmanager(images.alertmanager)
        self._prometheus(images.prometheus)
        if images.grafana:
            self._grafana(images.grafana)
        self.register_outputs({})

    def _alertmanager(self, image: str) -> None:
        args, secrets = self._args, self._args.secrets
        text = _yaml(alertmanager.settings(args.wanted.mail, args.wanted.webhook, secrets))
        needed = [alertmanager.told(text), *([alertmanager.hidden(secrets)] if secrets else [])]
        made = alertmanager.objects(image, args.replicas, _digest(text), secrets=bool(secrets))
        self._run(alertmanager.NAME, needed, made)

    def _prometheus(self, image: str) -> None:
        args, text = self._args, _yaml(prometheus.settings(jobs(self._args.tier)))
        rules = rules_of(database=args.tier is not None)
        read = {"settings": text, "authority": args.authority or "", **rules}
        digest = pulumi.Output.json_dumps(read).apply(_digest)
        needed = [*prometheus.allowed(), *prometheus.told(text, rules, args.authority)]
        wanted = args.wanted
        made = prometheus.objects(
            image, args.replicas, wanted.retention_days, wanted.volume, digest
        )
        self._run(prometheus.NAME, needed, made)

    def _grafana(self, image: str) -> None:
        drawn = dashboards(database=self._args.tier is not None)
        told = grafana.told(drawn)
        password = random.RandomPassword(
            f"{self._name}-grafana-password",
            length=32,
            special=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        needed = [*told, grafana.hidden(password.result)]
        self._run(grafana.NAME, needed, grafana.objects(image, _digest(_yaml(told))))

    def _run(self, program: str, needed: Sequence[Body], made: Mapping[str, Body]) -> None:
        """Make a program's objects, what its pods need before them."""
        before = [
            *self._first,
            *(
                self._object(self._called(program, body), body, after=self._first)
                for body in needed
            ),
        ]
        for body in made.values():
            self._object(self._called(program, body), body, after=before)

    def _called(self, program: str, body: Body) -> str:
        metadata = body["metadata"]
        parts = (program, body["kind"].lower(), metadata.get("namespace"), metadata["name"])
        known = {program, NAMESPACE, f"{NAMESPACE}-{program}"}
        kept = [part for part in parts[1:] if part and part not in known]
        return "-".join([self._name, program, *kept])


def rules_of(*, database: bool) -> dict[str, str]:
    """Return the rules that a stack is held to, each a file."""
    names = ["cluster", "machines", "monitoring", "way_in", *(["database"] if database else [])]
    return {f"{name}.yaml": (ALERTS / f"{name}.yaml").read_text("utf-8") for name in names}


def _yaml(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
