"""What kube-score says of our objects and is let be, and why: the one list of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

METALLB = "*/metallb-system/*"
GRAFANA = "Deployment/apps/v1/monitoring/grafana"
EXPORTER = "DaemonSet/apps/v1/node-exporters/node-exporter"
_PUBLISHED = "MetalLB's objects are as its makers publish them (decision 0011)"


@dataclass(frozen=True)
class LetBe:
    """A check's findings on some objects, named ``Kind/group/version/namespace/name``."""

    check: str
    objects: str
    why: str

    def covers(self, check: str, name: str) -> bool:
        """Tell whether it is about a finding."""
        return check == self.check and fnmatchcase(name, self.objects)


EXCEPTIONS = (
    LetBe(
        "container-image-pull-policy",
        "*",
        "what runs is named by its digest, and starts again while the registry is away",
    ),
    LetBe(
        "container-ephemeral-storage-request-and-limit",
        "*",
        "roots are read-only, volumes that can be written to have a limit, kubelet rotates logs",
    ),
    LetBe(
        "deployment-has-host-podantiaffinity",
        "Deployment/apps/v1/application/*",
        "topologySpreadConstraints spread them, and let there be more pods than nodes",
    ),
    LetBe(
        "networkpolicy-targets-pod",
        "NetworkPolicy/*/kube-*/*",
        "the cluster's own pods are K3s's; who comes to a namespace that has none is refused all",
    ),
    LetBe(
        "networkpolicy-targets-pod",
        "NetworkPolicy/*/default/nothing-else",
        "nobody is there, and who comes is refused all",
    ),
    LetBe("pod-probes-identical", METALLB, _PUBLISHED),
    LetBe("pod-probes-identical", GRAFANA, "one page says both: it answers, or it does not"),
    LetBe("pod-probes-identical", EXPORTER, "one page says both: it answers, or it does not"),
    LetBe("container-security-context-user-group-id", GRAFANA, "472 is the user of its image"),
    LetBe("deployment-replicas", GRAFANA, "it is looked at; who is told of alerts needs none"),
    LetBe("container-security-context-user-group-id", METALLB, _PUBLISHED),
    LetBe("container-resources", METALLB, _PUBLISHED),
    LetBe("deployment-has-host-podantiaffinity", METALLB, "there is one controller"),
    LetBe(
        "deployment-has-poddisruptionbudget",
        METALLB,
        "there is one controller: a budget would hold up every drain, and addresses that were"
        " given stay where they are without it",
    ),
)


def not_let_be(findings: Mapping[str, set[str]]) -> set[tuple[str, str]]:
    """Return each check and object that no exception covers."""
    return {
        (check, name)
        for check, names in findings.items()
        for name in names
        if not any(exception.covers(check, name) for exception in EXCEPTIONS)
    }


def unneeded(findings: Mapping[str, set[str]]) -> list[LetBe]:
    """Return the exceptions that cover nothing."""
    return [
        exception
        for exception in EXCEPTIONS
        if not any(
            exception.covers(check, name) for check, names in findings.items() for name in names
        )
    ]
