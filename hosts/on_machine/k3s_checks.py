#!/usr/bin/env python3
"""Checks a node against K3s' own CIS guide, what of it can be seen: ``k3s-checks``.

What components run with is read as the guide does it: from K3s' journal. Prints a table, and fails
if a check does. Exceptions, with their reasons: AlwaysPullImages (1.2.11), because images of a
machine without a registry could never start; etcd's own CA apart from the servers' is K3s' default.
"""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Flags = Mapping[str, str]
_FLAG = re.compile(r"--([a-z][a-z0-9-]*)=(\"[^\"]*\"|[^\s\"\]]*)")
_HOME = Path("/var/lib/rancher/k3s")
_KUBELET = "agent/etc/kubelet.conf.d/00-k3s-defaults.conf"


@dataclass(frozen=True)
class Check:
    """What must hold of the flags that a component runs with."""

    number: str
    component: str
    flag: str
    what: str
    holds: Callable[[str | None], bool]


@dataclass(frozen=True)
class Mode:
    """Which files nobody but root may read or write."""

    number: str
    pattern: str
    most: int


@dataclass(frozen=True)
class Result:
    """What came of a check."""

    number: str
    what: str
    why: str = ""
    """What is wrong, if anything is."""


def _is(value: str) -> Callable[[str | None], bool]:
    return lambda found: found == value


def _has(*words: str) -> Callable[[str | None], bool]:
    return lambda found: {*words} <= {*(found or "").split(",")}


def _lacks(word: str) -> Callable[[str | None], bool]:
    return lambda found: word not in (found or "").split(",")


def _at_least(least: int) -> Callable[[str | None], bool]:
    return lambda found: found is not None and int(found) >= least


def _set(found: str | None) -> bool:
    return bool(found)


def _unset(found: str | None) -> bool:
    return found is None


def _strong(found: str | None) -> bool:
    return bool(found) and all("_GCM_" in c or "CHACHA20" in c for c in str(found).split(","))


_API, _MANAGER = "kube-apiserver", "kube-controller-manager"
CHECKS = (
    Check("1.2.1", _API, "anonymous-auth", "nobody is anonymous", _is("false")),
    Check("1.2.2", _API, "token-auth-file", "no tokens in a file", _unset),
    Check("1.2.4", _API, "kubelet-client-certificate", "kubelets know the API", _set),
    Check("1.2.5", _API, "kubelet-certificate-authority", "the API knows kubelets", _set),
    Check("1.2.6", _API, "authorization-mode", "not all is allowed", _lacks("AlwaysAllow")),
    Check("1.2.7", _API, "authorization-mode", "nodes and roles", _has("Node", "RBAC")),
    Check("1.2.9", _API, "enable-admission-plugins", "events limited", _has("EventRateLimit")),
    Check("1.2.10", _API, "enable-admission-plugins", "not all admitted", _lacks("AlwaysAdmit")),
    Check("1.2.14", _API, "enable-admission-plugins", "nodes restricted", _has("NodeRestriction")),
    Check("1.2.15", _API, "profiling", "no profiling", _is("false")),
    Check("1.2.16", _API, "audit-log-path", "an audit log", _set),
    Check("1.2.17", _API, "audit-log-maxage", "kept for 30 days", _at_least(30)),
    Check("1.2.18", _API, "audit-log-maxbackup", "in 10 files", _at_least(10)),
    Check("1.2.19", _API, "audit-log-maxsize", "of 100 MB", _at_least(100)),
    Check("1.2.21", _API, "service-account-lookup", "accounts are looked up", _is("true")),
    Check("1.2.22", _API, "service-account-key-file", "a key of accounts", _set),
    Check("1.2.23", _API, "etcd-certfile", "etcd knows the API", _set),
    Check("1.2.24", _API, "tls-cert-file", "TLS", _set),
    Check("1.2.25", _API, "client-ca-file", "clients are known", _set),
    Check("1.2.26", _API, "etcd-cafile", "the API knows etcd", _set),
    Check("1.2.27", _API, "encryption-provider-config", "secrets are encrypted", _set),
    Check("1.2.29", _API, "tls-cipher-suites", "strong ciphers", _strong),
    Check("3.2.1", _API, "audit-policy-file", "an audit policy", _set),
    Check("5.2", _API, "admission-control-config-file", "pods restricted", _set),
    Check("1.3.1", _MANAGER, "terminated-pod-gc-threshold", "dead pods go", _at_least(1)),
    Check("1.3.2", _MANAGER, "profiling", "no profiling", _is("false")),
    Check("1.3.3", _MANAGER, "use-service-account-credentials", "own accounts", _is("true")),
    Check("1.3.4", _MANAGER, "service-account-private-key-file", "a key of accounts", _set),
    Check("1.3.5", _MANAGER, "root-ca-file", "pods know the API", _set),
    Check("1.3.7", _MANAGER, "bind-address", "answers itself only", _is("127.0.0.1")),
    Check("1.4.1", "kube-scheduler", "profiling", "no profiling", _is("false")),
    Check("1.4.2", "kube-scheduler", "bind-address", "answers itself only", _is("127.0.0.1")),
    Check("4.2.5", "kubelet", "streaming-connection-idle-timeout", "idle streams end", _set),
    Check("4.2.6", "kubelet", "make-iptables-util-chains", "its own chains", _is("true")),
    Check("4.2.12", "kubelet", "tls-cipher-suites", "strong ciphers", _strong),
)
MODES = (
    Mode("1.1.11", "server/db/etcd", 0o700),
    Mode("1.1.13", "server/cred/admin.kubeconfig", 0o600),
    Mode("1.1.15", "server/cred/scheduler.kubeconfig", 0o600),
    Mode("1.1.17", "server/cred/controller.kubeconfig", 0o600),
    Mode("1.1.20", "server/tls/*.crt", 0o644),
    Mode("1.1.21", "server/tls/*.key", 0o600),
    Mode("4.1.5", "agent/*.kubeconfig", 0o600),
    Mode("4.1.9", _KUBELET, 0o600),
    Mode("files", "/etc/rancher/k3s/*.yaml", 0o600),
    Mode("files", "/etc/rancher/k3s/*token", 0o600),
)
KUBELET = {
    "4.2.1 anonymous": re.compile(r"anonymous:\s+enabled: false"),
    "4.2.2 webhook": re.compile(r"mode: Webhook"),
    "4.2.3 clients are known": re.compile(r"clientCAFile: \S+"),
    "4.2.9 TLS": re.compile(r"tlsCertFile: \S+"),
    "kernel defaults": re.compile(r"protectKernelDefaults: true"),
}


def main() -> None:
    """Check everything that a node of this kind has."""
    server = (_HOME / "server/db").exists()
    running = flags_of(_journal("k3s" if server else "k3s-agent"))
    kubelet = (_HOME / _KUBELET).read_text(encoding="utf-8")
    results = [*of_flags(running, server=server), *of_modes(_HOME), *of_kubelet(kubelet)]
    for result in results:
        sys.stdout.write(
            f"{'FAIL' if result.why else 'ok':<5}{result.number:<8}{result.what} {result.why}\n"
        )
    wrong = sum(1 for result in results if result.why)
    sys.stdout.write(f"{len(results)} checks, {wrong} failing\n")
    sys.exit(1 if wrong else 0)


def flags_of(journal: str) -> dict[str, Flags]:
    """Return the flags of each component as it was last started; the last word of each counts."""
    started = re.findall(r"Running (kube-\w+(?:-\w+)?|kubelet) (.*)", journal)
    return {name: {f: v.strip('"') for f, v in _FLAG.findall(told)} for name, told in started}


def of_flags(running: Mapping[str, Flags], *, server: bool) -> list[Result]:
    """Return what came of the checks of flags."""
    results = []
    for check in CHECKS:
        if not server and check.component != "kubelet":
            continue
        what = f"{check.component}: {check.what}"
        if check.component not in running:
            why = "(its start is not in the journal)"
        else:
            found = running[check.component].get(check.flag)
            why = "" if check.holds(found) else f"({check.flag}={found})"
        results.append(Result(check.number, what, why))
    return results


def of_modes(home: Path) -> list[Result]:
    """Return what came of the checks of files."""
    results = []
    for mode in MODES:
        root, pattern = (
            (Path("/"), mode.pattern[1:]) if mode.pattern[0] == "/" else (home, mode.pattern)
        )
        wrong = [
            f"{path.name} {found:o}"
            for path in sorted(root.glob(pattern))
            if (found := stat.S_IMODE(path.stat().st_mode)) & ~mode.most or path.stat().st_uid
        ]
        what = f"{mode.pattern}: {mode.most:o} or less, root's"
        results.append(Result(mode.number, what, f"({', '.join(wrong)})" if wrong else ""))
    return results


def of_kubelet(text: str) -> list[Result]:
    """Return what came of the checks of kubelet's own file."""
    results = []
    for name, pattern in KUBELET.items():
        number, _, what = name.partition(" ")
        why = "" if pattern.search(text) else f"(no {pattern.pattern})"
        results.append(Result(number, f"kubelet: {what}", why))
    return results


def _journal(unit: str) -> str:
    words = (
        "journalctl",
        "-u",
        unit,
        "-o",
        "cat",
        "--no-pager",
        "--grep",
        "Running (kube|kubelet)",
    )
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


if __name__ == "__main__":
    main()
