"""Controls of what is in the cluster: rights, accounts, pods, namespaces (chapter 5)."""

from __future__ import annotations

from collections.abc import Iterator

from . import pods, rights
from .allowed import reason
from .control import Control
from .pods import every, every_container
from .rights import grants
from .seen import Look, Offence, Seen, name_of


def _control(number: str, title: str, look: Look, exception: str = "") -> Control:
    def check(seen: Seen) -> str:
        if seen.objects is None:
            return "the API did not answer"
        found = {what for where, what in look(seen) if not reason(number, where)}
        return ", ".join(sorted(found))

    def let_be(seen: Seen) -> str:
        reasons = (reason(number, where) for where, _ in look(seen))
        return "; ".join(dict.fromkeys(filter(None, reasons)))

    return Control(number=number, title=title, check=check, exception=exception, let_be=let_be)


def _standard(seen: Seen) -> Iterator[Offence]:
    """Look at what pods are held to where nobody says anything, and who says otherwise."""
    yield from (("", what) for what in _by_default(seen))
    for namespace in seen.of_kind("Namespace"):
        name, labels = name_of(namespace), namespace["metadata"].get("labels", {})
        standard = labels.get("pod-security.kubernetes.io/enforce", "restricted")
        if standard != "restricted":
            yield name, f"namespace {name} is held to {standard}"


def _by_default(seen: Seen) -> Iterator[str]:
    configured = {
        plugin["name"]: plugin["configuration"] for plugin in seen.admission.get("plugins", [])
    }
    told = configured.get("PodSecurity", {})
    enforced = told.get("defaults", {}).get("enforce")
    if enforced != "restricted":
        yield f"pods are held to {enforced or 'nothing'}, expected restricted"
    for kind, names in told.get("exemptions", {}).items():
        if more := sorted({*names} - ({"kube-system"} if kind == "namespaces" else set())):
            yield f"exempt {kind}: {', '.join(more)}"


def _policies(seen: Seen) -> Iterator[Offence]:
    """Look for namespaces with pods that anybody may talk to."""
    closed = {policy["metadata"]["namespace"] for policy in seen.of_kind("NetworkPolicy")}
    used = {pod["metadata"]["namespace"] for pod in seen.of_kind("Pod")}
    return ((namespace, namespace) for namespace in used - closed)


def _default_used(seen: Seen) -> Iterator[Offence]:
    for kind in ("Pod", "Service"):
        for one in seen.of_kind(kind):
            told = f"{kind} {name_of(one)}"
            if one["metadata"]["namespace"] == "default" and told != "Service default/kubernetes":
                yield "default", told


def _may(number: str, title: str, resource: str, *verbs: str) -> Control:
    return _control(number, title, grants(resource, *verbs))


RIGHTS = (
    _control("5.1.1", "all rights for the administrator alone", rights.all_rights),
    _may("5.1.2", "who reads secrets", "secrets", "get", "list", "watch"),
    _control("5.1.3", "no rights by wildcard", rights.wildcards),
    _may("5.1.4", "who makes pods", "pods", "create"),
    _control(
        "5.1.5",
        "nobody is the default account",
        rights.default_accounts,
        "elsewhere than in K3s' namespaces each pod says itself that it has no token (5.1.6)",
    ),
    _control("5.1.6", "accounts' tokens where used alone", pods.tokens),
    _control(
        "5.1.7",
        "nobody is of system:masters",
        rights.masters,
        "the administrator's certificate is: it opens a cluster whose roles are broken",
    ),
    _control("5.1.8", "nobody becomes another", rights.verbs("bind", "escalate", "impersonate")),
    _may("5.1.9", "who makes volumes", "persistentvolumes", "create"),
    _may("5.1.10", "who passes through nodes", "nodes/proxy", "get", "create"),
    _may(
        "5.1.11",
        "who approves certificates",
        "certificatesigningrequests/approval",
        "update",
        "patch",
    ),
    _may(
        "5.1.12",
        "who changes webhooks",
        "validatingwebhookconfigurations",
        "create",
        "update",
        "patch",
    ),
    _may("5.1.13", "who makes accounts' tokens", "serviceaccounts/token", "create"),
)


def _none(number: str, title: str, wrong: pods.OfContainer) -> Control:
    return _control(number, title, every_container(wrong))


def _shares(number: str, title: str, key: str) -> Control:
    return _control(number, title, every(lambda spec: bool(spec.get(key))))


PODS = (
    _control("5.2.1", "pods are held to `restricted`", _standard),
    _none("5.2.2", "no pod is privileged", pods.privileged),
    _shares("5.2.3", "no pod sees the node's processes", "hostPID"),
    _shares("5.2.4", "no pod shares the node's memory", "hostIPC"),
    _shares("5.2.5", "no pod is on the node's network", "hostNetwork"),
    _none("5.2.6", "no pod gains rights", pods.gains),
    _none("5.2.7", "no pod is root", pods.root),
    _none("5.2.8", "no pod has capabilities", pods.capabilities),
    _control("5.2.11", "no pod has files of the node", every(pods.host_paths)),
    _none("5.2.12", "no pod has a port of the node", pods.host_ports),
)
GENERAL = (
    _control("5.3.2", "namespaces with pods have network policies", _policies),
    _none("5.4.1", "secrets are files", pods.secrets_as_words),
    _none("5.6.2", "calls are filtered", pods.unfiltered),
    _control("5.6.4", "the namespace default is empty", _default_used),
)
CONTROLS = (*RIGHTS, *PODS, *GENERAL)
