"""What a program may ask the cluster: an account, and roles that hold exactly that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .names import NAMESPACE, Body, metadata

WATCH = ("get", "list", "watch")
_API = "rbac.authorization.k8s.io"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """Kinds of objects, or pages of the API, and what may be done with them."""

    verbs: tuple[str, ...]
    resources: tuple[str, ...] = ()
    group: str = ""
    paths: tuple[str, ...] = ()

    @property
    def body(self) -> Body:
        """Return it as a role has it."""
        verbs = list(self.verbs)
        if self.paths:
            return {"nonResourceURLs": list(self.paths), "verbs": verbs}
        return {"apiGroups": [self.group], "resources": list(self.resources), "verbs": verbs}


def account(name: str) -> Body:
    """Return the account of a program; what is no pod of it gets no token of it."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(name),
        "automountServiceAccountToken": False,
    }


def role(name: str, namespace: str, rules: Sequence[Rule]) -> Body:
    """Return what may be asked of one namespace."""
    return {
        "apiVersion": f"{_API}/v1",
        "kind": "Role",
        "metadata": metadata(name, namespace),
        "rules": [rule.body for rule in rules],
    }


def binding(name: str, namespace: str) -> Body:
    """Return who may."""
    return _bound("Role", name, namespace)


def cluster_role(name: str, rules: Sequence[Rule]) -> Body:
    """Return what may be asked of the whole cluster."""
    return {
        "apiVersion": f"{_API}/v1",
        "kind": "ClusterRole",
        "metadata": metadata(f"monitoring-{name}", None),
        "rules": [rule.body for rule in rules],
    }


def cluster_binding(name: str) -> Body:
    """Return who may."""
    return _bound("ClusterRole", name, None)


def _bound(kind: str, name: str, namespace: str | None) -> Body:
    called = name if namespace else f"monitoring-{name}"
    return {
        "apiVersion": f"{_API}/v1",
        "kind": f"{kind}Binding",
        "metadata": metadata(called, namespace),
        "roleRef": {"apiGroup": _API, "kind": kind, "name": called},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}],
    }
