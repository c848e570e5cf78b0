"""Controls of a server: its files, the control plane, etcd (the benchmark's chapters 1 to 3)."""

from __future__ import annotations

from .control import (
    Check,
    Control,
    Files,
    Holds,
    at_least,
    both,
    equals,
    etcd,
    flag,
    has,
    is_set,
    is_unset,
    lacks,
    strong,
    unless,
)
from .seen import ENCRYPTION, HOME, Seen

_API, _MANAGER, _SCHEDULER = "kube-apiserver", "kube-controller-manager", "kube-scheduler"
_CRED, _TLS, _ETCD = f"{HOME}/server/cred", f"{HOME}/server/tls", f"{HOME}/server/tls/etcd"
_PUBLIC = "certificates are public, and K3s writes them 644 whenever it renews them"


def _control(number: str, title: str, check: Check | None, exception: str = "") -> Control:
    return Control(number=number, title=title, check=check, exception=exception)


def _api(number: str, title: str, name: str, holds: Holds) -> Control:
    return _control(number, f"API: {title}", flag(_API, name, holds))


def _encrypted(seen: Seen) -> str:
    """Look at which provider writes: the first one."""
    first = [
        next(iter(provider), "nobody")
        for resource in seen.encryption.get("resources", [])
        for provider in resource["providers"][:1]
        if "secrets" in resource["resources"]
    ]
    if first and set(first) <= {"aescbc", "secretbox", "kms"}:
        return ""
    return f"secrets are written by {', '.join(first) or 'nobody'} ({ENCRYPTION})"


FILES = (
    _control("1.1.9", "files of CNI", Files("/var/lib/cni/networks/*/[0-9]*", 0o600, there=False)),
    _control("1.1.11", "etcd's folder", Files(f"{HOME}/server/db/etcd", 0o700)),
    _control("1.1.13", "the administrator's way in", Files(f"{_CRED}/admin.kubeconfig", 0o600)),
    _control("1.1.15", "the scheduler's way in", Files(f"{_CRED}/scheduler.kubeconfig", 0o600)),
    _control("1.1.17", "the manager's way in", Files(f"{_CRED}/controller.kubeconfig", 0o600)),
    _control("1.1.19", "the folder of keys", Files(_TLS, 0o700)),
    _control("1.1.20", "certificates", Files(f"{_TLS}/**/*.crt", 0o644), _PUBLIC),
    _control("1.1.21", "keys", Files(f"{_TLS}/**/*.key", 0o600)),
    _control("1.1.x", "the key of secrets", Files(ENCRYPTION, 0o600)),
    _control("1.1.y", "the kubeconfig", Files("/etc/rancher/k3s/k3s.yaml", 0o600)),
    _control("1.1.z", "the log of the audit", Files("/var/log/kubernetes/audit*.log", 0o600)),
)
API = (
    _api("1.2.1", "nobody is anonymous", "anonymous-auth", equals("false")),
    _api("1.2.2", "no tokens in a file", "token-auth-file", is_unset),
    _api(
        "1.2.3",
        "no addresses taken from outside",
        "enable-admission-plugins",
        has("DenyServiceExternalIPs"),
    ),
    _control(
        "1.2.4",
        "API: kubelets know the API",
        both(
            flag(_API, "kubelet-client-certificate", is_set),
            flag(_API, "kubelet-client-key", is_set),
        ),
    ),
    _api("1.2.5", "the API knows kubelets", "kubelet-certificate-authority", is_set),
    _api("1.2.6", "not all is allowed", "authorization-mode", lacks("AlwaysAllow")),
    _api("1.2.7", "nodes have their own rights", "authorization-mode", has("Node")),
    _api("1.2.8", "rights by role", "authorization-mode", has("RBAC")),
    _api("1.2.9", "events are limited", "enable-admission-plugins", has("EventRateLimit")),
    _api("1.2.10", "not all is admitted", "enable-admission-plugins", lacks("AlwaysAdmit")),
    _control(
        "1.2.11",
        "API: images are pulled always",
        None,
        "an image that lies ready on the node, without a registry, could never start; images"
        " are named by digest",
    ),
    _api("1.2.12", "accounts are given", "disable-admission-plugins", lacks("ServiceAccount")),
    _api("1.2.13", "namespaces end", "disable-admission-plugins", lacks("NamespaceLifecycle")),
    _api(
        "1.2.14", "nodes change themselves only", "enable-admission-plugins", has("NodeRestriction")
    ),
    _api("1.2.15", "no profiling", "profiling", equals("false")),
    _api("1.2.16", "an audit log", "audit-log-path", is_set),
    _api("1.2.17", "kept for 30 days", "audit-log-maxage", at_least(30)),
    _api("1.2.18", "in 10 files", "audit-log-maxbackup", at_least(10)),
    _api("1.2.19", "of 100 MB", "audit-log-maxsize", at_least(100)),
    _api("1.2.20", "requests end", "request-timeout", is_set),
    _api("1.2.21", "accounts are looked up", "service-account-lookup", equals("true")),
    _api("1.2.22", "a key of accounts", "service-account-key-file", is_set),
    _control(
        "1.2.23",
        "API: etcd knows the API",
        both(
            flag(_API, "etcd-certfile", is_set),
            flag(_API, "etcd-keyfile", is_set),
        ),
    ),
    _control(
        "1.2.24",
        "API: TLS",
        both(
            flag(_API, "tls-cert-file", is_set),
            flag(_API, "tls-private-key-file", is_set),
        ),
    ),
    _api("1.2.25", "clients are known", "client-ca-file", is_set),
    _api("1.2.26", "the API knows etcd", "etcd-cafile", is_set),
    _api("1.2.27", "secrets are encrypted", "encryption-provider-config", is_set),
    _control("1.2.28", "API: by a strong cipher", _encrypted),
    _api("1.2.29", "strong ciphers", "tls-cipher-suites", strong),
    _api(
        "1.2.30",
        "tokens of accounts end",
        "service-account-extend-token-expiration",
        equals("false"),
    ),
)
_PRIVATE_KEY = "service-account-private-key-file"
MANAGERS = (
    _control(
        "1.3.1", "manager: dead pods go", flag(_MANAGER, "terminated-pod-gc-threshold", at_least(1))
    ),
    _control("1.3.2", "manager: no profiling", flag(_MANAGER, "profiling", equals("false"))),
    _control(
        "1.3.3",
        "manager: an account for each part",
        flag(_MANAGER, "use-service-account-credentials", equals("true")),
    ),
    _control("1.3.4", "manager: a key of accounts", flag(_MANAGER, _PRIVATE_KEY, is_set)),
    _control("1.3.5", "manager: pods know the API", flag(_MANAGER, "root-ca-file", is_set)),
    _control(
        "1.3.6",
        "manager: kubelets' certificates are renewed",
        flag(_MANAGER, "feature-gates", lacks("RotateKubeletServerCertificate=false")),
    ),
    _control(
        "1.3.7", "manager: answers itself only", flag(_MANAGER, "bind-address", equals("127.0.0.1"))
    ),
    _control("1.4.1", "scheduler: no profiling", flag(_SCHEDULER, "profiling", equals("false"))),
    _control(
        "1.4.2",
        "scheduler: answers itself only",
        flag(_SCHEDULER, "bind-address", equals("127.0.0.1")),
    ),
)
_CLIENTS, _PEERS = "client-transport-security", "peer-transport-security"
STORE = (
    _control(
        "2.1",
        "etcd: TLS",
        both(
            etcd(f"{_CLIENTS}.cert-file", is_set),
            etcd(f"{_CLIENTS}.key-file", is_set),
        ),
    ),
    _control(
        "2.2", "etcd: clients are known", etcd(f"{_CLIENTS}.client-cert-auth", equals("true"))
    ),
    _control("2.3", "etcd: not by any certificate", etcd(f"{_CLIENTS}.auto-tls", unless("true"))),
    _control(
        "2.4",
        "etcd: TLS among members",
        both(
            etcd(f"{_PEERS}.cert-file", is_set),
            etcd(f"{_PEERS}.key-file", is_set),
        ),
    ),
    _control("2.5", "etcd: members are known", etcd(f"{_PEERS}.client-cert-auth", equals("true"))),
    _control("2.6", "etcd: not by any certificate", etcd(f"{_PEERS}.auto-tls", unless("true"))),
    _control(
        "2.7",
        "etcd: authorities of its own",
        both(
            etcd(f"{_PEERS}.trusted-ca-file", equals(f"{_ETCD}/peer-ca.crt")),
            etcd(f"{_CLIENTS}.trusted-ca-file", equals(f"{_ETCD}/server-ca.crt")),
        ),
    ),
)
_PEOPLE = (
    "there is one kubeconfig, the program's, in the state as a secret; a way in for each person"
    " needs a service that knows people"
)
AUDIT = (
    _control("3.1.1", "people have no certificates", None, _PEOPLE),
    _control("3.1.2", "people have no accounts' tokens", None, _PEOPLE),
    _control("3.1.3", "people have no bootstrap tokens", None, _PEOPLE),
    _control("3.2.1", "an audit policy", flag(_API, "audit-policy-file", is_set)),
    _control(
        "3.2.2",
        "it covers what matters",
        Files("/etc/rancher/k3s/audit.yaml", 0o600),
        "what it covers is judged by a person: hosts/templates/k3s.audit.yaml.j2",
    ),
)
CONTROLS = (*FILES, *API, *MANAGERS, *STORE, *AUDIT)
