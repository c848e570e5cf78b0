"""What a node of K3s runs with, looked at and left as it is."""

from __future__ import annotations

import json
import re
import stat
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOME = "/var/lib/rancher/k3s"
ENCRYPTION = f"{HOME}/server/cred/encryption-config.json"
_KINDS = (
    "clusterrolebindings,clusterroles,namespaces,networkpolicies,pods,rolebindings,roles,"
    "serviceaccounts,services"
)
_FLAG = re.compile(r"--([a-z][a-z0-9-]*)=(\"[^\"]*\"|[^\s\"\]]*)")
_SECONDS = 60
Object = Mapping[str, Any]
Offence = tuple[str, str]
"""Where something is wrong, a namespace or a binding, and what."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One node, as it was found."""

    server: bool
    flags: Mapping[str, Mapping[str, str]]
    """What each component was started with last, as K3s wrote it down."""
    kubelet: Mapping[str, str]
    """kubelet's own file, each setting by its path; a flag overrules it."""
    etcd: Mapping[str, str]
    files: Mapping[str, Mapping[str, str]]
    """By pattern and by place: mode and owner, such as ``600 0:0``."""
    kernel: Mapping[str, str]
    encryption: Mapping[str, Any]
    admission: Mapping[str, Any]
    objects: tuple[Object, ...] | None
    """Those of the cluster, on a server whose API answers."""

    def of_kind(self, kind: str) -> list[Object]:
        """Return the objects of a kind."""
        return [one for one in self.objects or () if one["kind"] == kind]


Look = Callable[[Seen], Iterable[Offence]]


def name_of(one: Object) -> str:
    """Return an object's name, after its namespace if it has one."""
    metadata = one["metadata"]
    return "/".join(metadata[key] for key in ("namespace", "name") if key in metadata)


def look(patterns: Iterable[str], settings: Iterable[str]) -> Seen:
    """Return this node, with the files of these patterns and these settings of the kernel."""
    server = Path(HOME, "server/db").exists()
    flags = flags_of(_journal("k3s" if server else "k3s-agent"))
    told = sorted(Path(HOME, "agent/etc/kubelet.conf.d").glob("*.conf"))
    return Seen(
        server=server,
        flags=flags,
        kubelet={k: v for file in told for k, v in flattened(file.read_text()).items()},
        etcd=flattened(_text(f"{HOME}/server/db/etcd/config")),
        files={pattern: modes(pattern) for pattern in patterns},
        kernel={name: _text(f"/proc/sys/{name.replace('.', '/')}").strip() for name in settings},
        encryption=_json(ENCRYPTION),
        admission=_json(flags.get("kube-apiserver", {}).get("admission-control-config-file", "")),
        objects=_objects() if server else None,
    )


def flags_of(journal: str) -> dict[str, dict[str, str]]:
    """Return the flags of each component as it was last started; the last word of each counts."""
    started = re.findall(r"Running (kube-\w+(?:-\w+)?|kubelet) (.*)", journal)
    return {name: {f: v.strip('"') for f, v in _FLAG.findall(told)} for name, told in started}


def flattened(text: str) -> dict[str, str]:
    """Return YAML of mappings and of lists of words, by path; there is no library for it here."""
    found: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    for line in text.splitlines():
        bare = line.strip()
        indent = len(line) - len(line.lstrip())
        if not bare or bare.startswith("#"):
            continue
        if bare.startswith("- "):
            key = ".".join(name for _, name in path)
            found[key] = ",".join(filter(None, (found.get(key), bare[2:].strip("\"'"))))
            continue
        while path and path[-1][0] >= indent:
            path.pop()
        name, _, value = bare.partition(":")
        path.append((indent, name.strip("\"'")))
        if value.strip():
            found[".".join(name for _, name in path)] = value.strip().strip("\"'")
    return found


def modes(pattern: str) -> dict[str, str]:
    """Return mode and owner of each file that is there."""
    there = {str(path): path.stat() for path in sorted(Path("/").glob(pattern.lstrip("/")))}
    return {
        path: f"{stat.S_IMODE(status.st_mode):o} {status.st_uid}:{status.st_gid}"
        for path, status in there.items()
    }


def _objects() -> tuple[Object, ...] | None:
    administrator = f"--kubeconfig={HOME}/server/cred/admin.kubeconfig"
    asked = ("k3s", "kubectl", administrator, "get", _KINDS, "--all-namespaces", "-o", "json")
    try:
        done = subprocess.run(asked, capture_output=True, timeout=_SECONDS, check=True)
        return tuple(json.loads(done.stdout)["items"])
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def _journal(unit: str) -> str:
    asked = ("journalctl", "--unit", unit, "--output=cat", "--no-pager", "--grep=Running kube")
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout


def _text(place: str) -> str:
    try:
        return Path(place).read_text(encoding="utf-8")
    except OSError:
        return ""


def _json(place: str) -> dict[str, Any]:
    try:
        found = json.loads(_text(place))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
