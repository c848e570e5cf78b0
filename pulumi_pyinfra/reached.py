"""What the state says of each host of a group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .protocol import Connected, Host, Ssh
from .wanted import Wanted


@dataclass(kw_only=True, slots=True)
class Reached:
    """What each host was last changed to, and by which key it is known."""

    applied: dict[str, str] = field(default_factory=dict)
    host_keys: dict[str, str] = field(default_factory=dict)
    """By host; a bastion's by its address."""
    drift: dict[str, list[str]] = field(default_factory=dict)
    settled: bool = False
    """Whether any host ever was what was wanted: what becomes of the hosts does not change it."""

    @classmethod
    def of(cls, state: Mapping[str, Any], wanted: Wanted) -> Reached:
        """Return what plain properties hold; a host that is another machine now starts anew."""
        reached = cls(
            applied=dict(state.get("applied") or {}),
            host_keys=dict(state.get("hostKeys") or {}),
            drift=dict(state.get("drift") or {}),
            settled=bool(state.get("settled") or state.get("applied")),
        )
        before = state.get("hosts") or {}
        for name, host in wanted.hosts.items():
            known = (before.get(name) or {}).get("machine")
            if known is not None and known != host.machine:
                reached.forget(name)
        return reached

    def keep(self, host: str, digest: str) -> None:
        """Keep what a host was changed to."""
        self.applied[host] = digest
        self.drift.pop(host, None)
        self.settled = True

    def forget(self, host: str) -> None:
        """Keep nothing of a host that is no longer there."""
        self.applied.pop(host, None)
        self.host_keys.pop(host, None)
        self.drift.pop(host, None)

    def pin(self, met: Connected, ssh: Ssh | None) -> None:
        """Keep by which keys a host and its bastion are known from now on."""
        if met.host_key:
            self.host_keys.setdefault(met.host, met.host_key)
        if met.bastion_host_key and ssh and ssh.bastion:
            self.host_keys.setdefault(ssh.bastion.where, met.bastion_host_key)

    def recognised(self, host: Host) -> Host:
        """Return a host with the keys that it, and its bastion, are known by."""
        return replace(host, ssh=self._with_keys(host.name, host.ssh)) if host.ssh else host

    def _with_keys(self, name: str, ssh: Ssh) -> Ssh:
        pinned = (self.host_keys[name],) if name in self.host_keys else None
        bastion = ssh.bastion and self._with_keys(ssh.bastion.where, ssh.bastion)
        return replace(ssh, host_keys=ssh.host_keys or pinned, bastion=bastion)
