"""K3s's files as data: what a node is told, hardened by default as K3s's own guide wants it.

What is set here beyond the guide: a node that is lost is found out within 12 s (40 by default), and
its pods are given up 10 s later.
"""

from __future__ import annotations

from typing import Any

from .k3s_node import API_PORT, K3sNode
from .k3s_places import FOLDER, SERVER

AUDIT_POLICY = f"{FOLDER}/audit.yaml"
ADMISSION = f"{FOLDER}/admission.yaml"
AUDIT_LOG = "/var/log/kubernetes/audit.log"
TOKEN = f"{FOLDER}/token"
AGENT_TOKEN = f"{FOLDER}/agent-token"
# Those of TLS 1.2 with forward secrecy; the names of 1.3 are not to choose.
_CIPHERS = ",".join(
    f"TLS_ECDHE_{key}_WITH_{cipher}"
    for key in ("ECDSA", "RSA")
    for cipher in ("AES_256_GCM_SHA384", "AES_128_GCM_SHA256", "CHACHA20_POLY1305_SHA256")
)
_TLS = ("tls-min-version=VersionTLS12", f"tls-cipher-suites={_CIPHERS}")


def configuration(wanted: K3sNode) -> dict[str, Any]:
    """Return config.yaml."""
    told: dict[str, Any] = {
        "node-name": wanted.name,
        "node-ip": str(wanted.address),
        "flannel-iface": wanted.api.interface,
        "token-file": TOKEN if wanted.is_server else AGENT_TOKEN,
        "protect-kernel-defaults": True,
        "kubelet-arg": [
            *_TLS,
            "node-status-update-frequency=3s",
            "streaming-connection-idle-timeout=5m",
            "make-iptables-util-chains=true",
            "event-qps=50",
            "pod-max-pids=4096",
            "seccomp-default=true",
        ],
    }
    if wanted.api_url:
        told["server"] = wanted.api_url
    if wanted.is_server:
        told |= _server(wanted)
        # Alone it has nobody to find again, and must not start on anything but etcd.
        told |= {} if wanted.api_url else {"cluster-init": True}
    return told


def _server(wanted: K3sNode) -> dict[str, Any]:
    return {
        "agent-token-file": AGENT_TOKEN,
        "advertise-address": str(wanted.address),
        "tls-san": _names(wanted),
        "cluster-cidr": str(wanted.pods),
        "service-cidr": str(wanted.services),
        "cluster-dns": str(wanted.services[10]),
        "disable": ["servicelb", *([] if wanted.traefik else ["traefik"])],
        "write-kubeconfig-mode": "600",
        "secrets-encryption": True,
        "kube-apiserver-arg": [
            *_TLS,
            f"admission-control-config-file={ADMISSION}",
            "enable-admission-plugins=NodeRestriction,EventRateLimit,DenyServiceExternalIPs",
            f"audit-policy-file={AUDIT_POLICY}",
            f"audit-log-path={AUDIT_LOG}",
            "audit-log-maxage=30",
            "audit-log-maxbackup=10",
            "audit-log-maxsize=100",
            "request-timeout=300s",
            "service-account-lookup=true",
            "service-account-extend-token-expiration=false",
            "default-not-ready-toleration-seconds=10",
            "default-unreachable-toleration-seconds=10",
        ],
        "kube-controller-manager-arg": [
            "node-monitor-period=2s",
            "node-monitor-grace-period=12s",
            "terminated-pod-gc-threshold=50",
        ],
    }


def _names(wanted: K3sNode) -> list[str]:
    virtual = wanted.api.virtual_address
    addresses = [*wanted.servers.values(), *([virtual.ip] if virtual else [])]
    return [wanted.api.name, *sorted(wanted.servers), *(str(a) for a in sorted(addresses))]


def admission() -> dict[str, Any]:
    """Return what the admission plugins are told: pods are restricted, events are limited."""
    pods = {
        "apiVersion": "pod-security.admission.config.k8s.io/v1",
        "kind": "PodSecurityConfiguration",
        "defaults": {
            f"{mode}{suffix}": value
            for mode in ("enforce", "audit", "warn")
            for suffix, value in (("", "restricted"), ("-version", "latest"))
        },
        # K3s's own; other namespaces that need more say so by a label.
        "exemptions": {"usernames": [], "runtimeClasses": [], "namespaces": ["kube-system"]},
    }
    events = {
        "apiVersion": "eventratelimit.admission.k8s.io/v1alpha1",
        "kind": "Configuration",
        "limits": [{"type": "Server", "qps": 5000, "burst": 20000}],
    }
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AdmissionConfiguration",
        "plugins": [
            {"name": "PodSecurity", "configuration": pods},
            {"name": "EventRateLimit", "configuration": events},
        ],
    }


def no_tokens() -> list[dict[str, Any]]:
    """Return accounts for K3s to apply: who says nothing in its own namespaces has no token."""
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": namespace},
            "automountServiceAccountToken": False,
        }
        for namespace in ("default", "kube-node-lease", "kube-public", "kube-system")
    ]


def joining(wanted: K3sNode, *, member_port: int, kubeconfig: str, joined: str) -> dict[str, Any]:
    """Return what the program is told that has this machine join, or found, the cluster."""
    return {
        "name": wanted.name,
        "address": str(wanted.address),
        "server": wanted.is_server,
        "founder": min(wanted.servers),
        "servers": {name: str(address) for name, address in wanted.other_servers.items()},
        "api_port": API_PORT,
        "member_port": member_port,
        "unit": wanted.unit,
        "authority": f"{FOLDER}/authority.pem",
        "token": TOKEN if wanted.is_server else AGENT_TOKEN,
        "kubeconfig": kubeconfig,
        "override": f"{FOLDER}/config.yaml.d/90-joining.yaml",
        "datastore": f"{SERVER}/db/etcd/member",
        "joined": joined,
    }
