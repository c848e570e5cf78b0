"""A hardened server as the controls see it, and what is wrong for each control alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from hosts.k3s_configuration import admission, configuration, no_tokens
from hosts.on_machine.hardening.__main__ import CONTROLS
from hosts.on_machine.hardening.control import Files, Kernel
from hosts.on_machine.hardening.seen import Seen, flags_of, flattened

from .k3s_wanted import node

_TLS = "/var/lib/rancher/k3s/server/tls/etcd"
BY_K3S = {
    "kube-apiserver": "--anonymous-auth=false --kubelet-client-certificate=a --profiling=false "
    "--kubelet-client-key=a --kubelet-certificate-authority=a --authorization-mode=Node,RBAC "
    "--tls-cert-file=a --tls-private-key-file=a --service-account-key-file=a --etcd-certfile=a "
    "--etcd-keyfile=a --client-ca-file=a --etcd-cafile=a --encryption-provider-config=a",
    "kube-controller-manager": "--profiling=false --use-service-account-credentials=true "
    "--service-account-private-key-file=a --root-ca-file=a --bind-address=127.0.0.1",
    "kube-scheduler": "--profiling=false --bind-address=127.0.0.1",
    "kube-proxy": "--proxy-mode=iptables",
    "kubelet": "--hostname-override=a",
}
KUBELET = """\
authentication:
    anonymous:
        enabled: false
    x509:
        clientCAFile: /a
authorization:
  mode: Webhook
clusterDNS:
- 10.43.0.10
protectKernelDefaults: true
tlsCertFile: "/a"
tlsPrivateKeyFile: /a
"""
ETCD = f"""\
client-transport-security:
  cert-file: /a
  client-cert-auth: true
  key-file: /a
  trusted-ca-file: {_TLS}/server-ca.crt
name: a
peer-transport-security:
  cert-file: /a
  client-cert-auth: true
  key-file: /a
  trusted-ca-file: {_TLS}/peer-ca.crt
"""
Object = dict[str, Any]
Break = Callable[[Seen], Seen]


def journal() -> str:
    """Return what K3s writes of its start with our configuration."""
    told = configuration(node())
    ours = {name: [f"--{word}" for word in told.get(f"{name}-arg", [])] for name in BY_K3S}
    return "\n".join(
        f'level=info msg="Running {name} {" ".join([own, *ours[name]])}"'
        for name, own in BY_K3S.items()
    )


def named(kind: str, name: str, namespace: str = "", **more: Any) -> Object:
    """Return an object as the API shows it."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"kind": kind, "metadata": metadata, **more}


def pod(name: str = "a", namespace: str = "application", **more: Any) -> Object:
    """Return a pod as all of ours are, but for what is told; ``container`` is of its container."""
    container = {
        "name": "a",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        **more.pop("container", {}),
    }
    spec = {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        **more,
    }
    return named("Pod", name, namespace, spec=spec)


def role(name: str, resource: str, *verbs: str) -> list[Object]:
    """Return a role, and somebody who has it."""
    reference = {"kind": "ClusterRole", "name": name}
    somebody = {"kind": "ServiceAccount", "name": "a", "namespace": "application"}
    rules = [{"apiGroups": [""], "resources": [resource], "verbs": list(verbs)}]
    return [
        named("ClusterRole", name, rules=rules),
        named("ClusterRoleBinding", name, roleRef=reference, subjects=[somebody]),
    ]


def bound(name: str, kind: str, subject: str, role: str = "cluster-admin") -> Object:
    """Return a binding that gives somebody a role, that of all rights unless another is named."""
    reference = {"kind": "ClusterRole", "name": role}
    return named(
        "ClusterRoleBinding", name, roleRef=reference, subjects=[{"kind": kind, "name": subject}]
    )


OBJECTS = (
    *role("cluster-admin", "*", "*")[:1],
    bound("cluster-admin", "Group", "system:masters"),
    *role("system:node", "secrets", "get"),
    *role("reader", "services", "get"),
    *no_tokens(),
    named("ServiceAccount", "controller", "metallb-system"),
    named("Namespace", "application"),
    named("NetworkPolicy", "closed", "application"),
    named("Service", "kubernetes", "default"),
    pod(),
    pod("speaker", "metallb-system", hostNetwork=True, automountServiceAccountToken=True),
    named("NetworkPolicy", "closed", "metallb-system"),
)


def hardened() -> Seen:
    """Return a server as our deploy makes it."""
    checks = [control.check for control in CONTROLS]
    return Seen(
        server=True,
        flags=flags_of(journal()),
        kubelet=flattened(KUBELET),
        etcd=flattened(ETCD),
        files={c.pattern: {c.pattern: f"{c.most:o} 0:0"} for c in checks if isinstance(c, Files)},
        kernel={check.name: check.value for check in checks if isinstance(check, Kernel)},
        encryption={"resources": [{"resources": ["secrets"], "providers": [{"aescbc": {}}]}]},
        admission=admission(),
        objects=deepcopy(OBJECTS),
    )


def flag(component: str, name: str, value: str | None) -> Break:
    """Return a server with another flag, or without it."""

    def change(seen: Seen) -> Seen:
        own = {key: word for key, word in seen.flags[component].items() if key != name}
        told = own if value is None else {**own, name: value}
        return replace(seen, flags={**seen.flags, component: told})

    return change


def setting(file: str, path: str, value: str) -> Break:
    """Return a server whose kubelet or etcd reads something else."""
    return lambda seen: replace(seen, **{file: {**getattr(seen, file), path: value}})


def with_mode(pattern: str, told: str) -> Break:
    """Return a server one of whose files is another's, or open."""
    return lambda seen: replace(seen, files={**seen.files, pattern: {pattern: told}})


def also(*objects: Mapping[str, Any]) -> Break:
    """Return a server whose cluster has more objects."""
    return lambda seen: replace(seen, objects=(*(seen.objects or ()), *objects))


def admitted(**more: Any) -> Break:
    """Return a server whose pods are held to something else."""

    def change(seen: Seen) -> Seen:
        told = deepcopy(dict(seen.admission))
        told["plugins"][0]["configuration"].update(more)
        return replace(seen, admission=told)

    return change


def encrypted_by(provider: str) -> Break:
    """Return a server whose secrets another provider writes."""
    wanted = [{"resources": ["secrets"], "providers": [{provider: {}}, {"aescbc": {}}]}]
    return lambda seen: replace(seen, encryption={"resources": wanted})
