"""What the pods of the cluster may do, besides what the API refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .seen import Look, Object, Offence, Seen, name_of

Body = dict[str, Any]
OfContainer = Callable[[Body, Body], bool]
"""Whether a container is wrong; its pod's security context holds where it says nothing."""


def every(wrong: Callable[[Body], bool]) -> Look:
    """Look at every pod's specification."""
    return lambda seen: (_of(pod) for pod in seen.of_kind("Pod") if wrong(pod["spec"]))


def every_container(wrong: OfContainer) -> Look:
    """Look at every container, with its pod's security context."""

    def any_wrong(spec: Body) -> bool:
        context = spec.get("securityContext", {})
        return any(wrong(container, context) for container in _containers(spec))

    return every(any_wrong)


def tokens(seen: Seen) -> Iterator[Offence]:
    """Look for pods that hold a token of their account."""
    quiet = {
        name_of(account)
        for account in seen.of_kind("ServiceAccount")
        if account.get("automountServiceAccountToken") is False
    }
    return (_of(pod) for pod in seen.of_kind("Pod") if _holds(pod, quiet))


def _holds(pod: Object, quiet: set[str]) -> bool:
    spec = pod["spec"]
    account = f"{pod['metadata']['namespace']}/{spec.get('serviceAccountName', 'default')}"
    told = spec.get("automountServiceAccountToken")
    return account not in quiet if told is None else bool(told)


def gains(container: Body, _: Body) -> bool:
    """Tell whether a container may have more rights than who started it."""
    return _own(container).get("allowPrivilegeEscalation") is not False


def root(container: Body, context: Body) -> bool:
    """Tell whether a container may be root."""
    return not _own(container).get("runAsNonRoot", context.get("runAsNonRoot"))


def capabilities(container: Body, _: Body) -> bool:
    """Tell whether a container keeps or gets any."""
    told = _own(container).get("capabilities", {})
    dropped = [word.upper() for word in told.get("drop", [])]
    return "ALL" not in dropped or bool(told.get("add"))


def unfiltered(container: Body, context: Body) -> bool:
    """Tell whether a container says that nothing filters its calls; kubelet's default does."""
    told = _own(container).get("seccompProfile") or context.get("seccompProfile") or {}
    return bool(told.get("type") == "Unconfined")


def privileged(container: Body, _: Body) -> bool:
    """Tell whether a container is root on the node."""
    return bool(_own(container).get("privileged"))


def host_ports(container: Body, _: Body) -> bool:
    """Tell whether a container takes a port of the node."""
    return any(port.get("hostPort") for port in container.get("ports", []))


def secrets_as_words(container: Body, _: Body) -> bool:
    """Tell whether a secret is in the environment, where whoever sees the process reads it."""
    told = [*container.get("env", []), *container.get("envFrom", [])]
    return any("secretKeyRef" in one.get("valueFrom", one) or "secretRef" in one for one in told)


def host_paths(spec: Body) -> bool:
    """Tell whether a pod has files of the node."""
    return any("hostPath" in volume for volume in spec.get("volumes", []))


def _own(container: Body) -> Body:
    context: Body = container.get("securityContext", {})
    return context


def _of(pod: Object) -> Offence:
    return pod["metadata"]["namespace"], name_of(pod)


def _containers(spec: Body) -> Iterator[Body]:
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        yield from spec.get(kind, [])
