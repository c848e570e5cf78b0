"""A group of hosts on its way from what was reached to what is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .engine import Engine
from .failures import DeployFailedError
from .narration import Narration
from .protocol import (
    Action,
    Broken,
    Connected,
    Finished,
    Host,
    Operation,
    Request,
    Ssh,
    Unreachable,
)
from .rollout import batches, work
from .wanted import Wanted, WantedHost
from .worker_process import Worker


@dataclass(kw_only=True, slots=True)
class Reached:
    """What the state says of each host."""

    applied: dict[str, str] = field(default_factory=dict)
    host_keys: dict[str, str] = field(default_factory=dict)
    drift: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, state: Mapping[str, Any]) -> Reached:
        """Return what plain properties hold."""
        return cls(
            applied=dict(state.get("applied") or {}),
            host_keys=dict(state.get("hostKeys") or {}),
            drift=dict(state.get("drift") or {}),
        )

    def forget(self, host: str) -> None:
        """Keep nothing of a host that has left."""
        self.applied.pop(host, None)
        self.host_keys.pop(host, None)
        self.drift.pop(host, None)


class Group:
    """Runs workers for one resource, and tells the engine what they say."""

    def __init__(
        self,
        engine: Engine,
        urn: str,
        wanted: Wanted,
        reached: Reached,
        secrets: Sequence[str],
    ) -> None:
        self._engine, self._urn = engine, urn
        self._wanted, self.reached, self._secrets = wanted, reached, tuple(secrets)
        self._worker: Worker | None = None
        self._cancelled = False

    async def faults(self) -> list[str]:
        """Return what the deploy's contract says against the arguments, by host and key."""
        narration = Narration()
        await self._run(Action.CHECK, self._wanted.deploy, list(self._wanted.hosts), narration)
        return narration.faults

    async def tell_plan(self) -> None:
        """Say under the resource what an update would change inside each host."""
        todo = work(self._wanted.digests(), self.reached.applied, self.reached.drift)
        narration = Narration()
        there = [host for host in todo.change if self._wanted.hosts[host].exists]
        narration.not_there_yet(host for host in todo.change if host not in there)
        narration.leaving(todo.leave, self._wanted.leave)
        if there:
            await self._run(Action.PLAN, self._wanted.deploy, there, narration)
        await self._engine.say(self._urn, narration.plan())

    async def drift(self) -> dict[str, list[str]]:
        """Return what differs inside each host from what was reached."""
        narration = Narration()
        await self._run(Action.PLAN, self._wanted.deploy, list(self.reached.applied), narration)
        drift = narration.changes()
        if drift or narration.unreachable:
            await self._engine.say(self._urn, narration.plan(), warning=True)
        return drift

    async def bring(self, old: Mapping[str, Any]) -> list[str]:
        """Change batch by batch; return the reasons why not all was reached, or none."""
        digests = self._wanted.digests()
        todo = work(digests, self.reached.applied, self.reached.drift)
        if todo.leave and (reasons := await self._leave(todo.leave, old)):
            return reasons
        order = batches(
            todo.change,
            serial=self._wanted.serial,
            canary=self._wanted.canary,
            last=self._wanted.last,
        )
        for batch in order:
            if self._cancelled:
                return [f"cancelled; {', '.join(self._not_reached(digests))} not changed"]
            reasons = await self._change(batch, digests)
            if reasons:
                rest = [host for host in self._not_reached(digests) if host not in batch]
                return [*reasons, *([f"untouched: {', '.join(rest)}"] if rest else [])]
        return []

    async def delete(self) -> None:
        """Run ``on_delete`` on every host that can be reached."""
        if self._wanted.on_delete is None:
            await self._engine.say(self._urn, "the hosts are left as they are (no on_delete)")
            return
        narration = Narration()
        hosts = list(self.reached.applied)
        await self._run(Action.APPLY, self._wanted.on_delete, hosts, narration)
        if narration.unreachable:
            gone = "; ".join(f"{h}: {why}" for h, why in narration.unreachable.items())
            await self._engine.say(self._urn, f"not cleaned: {gone}", warning=True)
        if narration.failures:
            raise DeployFailedError("; ".join(narration.failures.values()))

    async def cancel(self) -> None:
        """Let what runs finish, and start nothing more."""
        self._cancelled = True
        if self._worker:
            await self._worker.cancel()

    async def _change(self, batch: Sequence[str], digests: Mapping[str, str]) -> list[str]:
        narration = Narration()
        await self._run(Action.APPLY, self._wanted.deploy, batch, narration)
        healthy = [host for host in batch if host in narration.succeeded]
        if self._wanted.probe and healthy:
            probed = Narration()
            await self._run(Action.PROBE, self._wanted.probe, healthy, probed)
            narration.failures |= {
                host: f"{host}: changed, but its probe {self._wanted.probe} did not succeed within "
                f"{self._wanted.probe_seconds} s: {why}"
                for host, why in probed.bad().items()
            }
        for host in batch:
            if host in narration.succeeded and host not in narration.failures:
                self.reached.applied[host] = digests[host]
                self.reached.drift.pop(host, None)
        return list(narration.bad().values())

    async def _leave(self, leaving: Sequence[str], old: Mapping[str, Any]) -> list[str]:
        before = Wanted.parse(old)
        for host in leaving:
            if self._wanted.leave is not None:
                narration = Narration()
                others = [other for other in self._wanted.hosts if other != host]
                told = {**before.hosts[host].arguments, "others": others}
                gone = WantedHost(connector=before.hosts[host].connector, arguments=told)
                await self._run(
                    Action.APPLY, self._wanted.leave, [host], narration, hosts={host: gone}
                )
                if bad := narration.bad():
                    return [f"{host} may not leave: {why}" for why in bad.values()]
            self.reached.forget(host)
        return []

    def _not_reached(self, digests: Mapping[str, str]) -> list[str]:
        return [host for host, d in digests.items() if self.reached.applied.get(host) != d]

    async def _run(
        self,
        action: Action,
        deploy: str,
        names: Iterable[str],
        narration: Narration,
        hosts: Mapping[str, WantedHost] | None = None,
    ) -> None:
        chosen = hosts or self._wanted.hosts
        request = Request(
            action=action,
            deploy=deploy,
            path=str(Path.cwd()),
            hosts=tuple(self._host(name, chosen[name]) for name in names if name in chosen),
            arguments=self._wanted.arguments,
            sudo=self._wanted.sudo,
            secrets=self._secrets,
            deadline=self._wanted.probe_seconds,
        )
        self._worker = Worker(request)
        if self._cancelled:
            await self._worker.cancel()
        async for event in self._worker.events():
            narration.hear(event)
            if isinstance(event, Connected) and event.host_key:
                self.reached.host_keys.setdefault(event.host, event.host_key)
            if action is Action.APPLY and isinstance(event, Operation | Finished | Unreachable):
                await self._engine.say(self._urn, narration.line(event), live=True)
            if isinstance(event, Broken) and action is not Action.CHECK:
                raise DeployFailedError(event.reason)
        self._worker = None

    def _host(self, name: str, host: WantedHost) -> Host:
        if isinstance(host.connector, str):
            return Host(name=name, arguments=host.arguments, connector="local")
        pinned = self.reached.host_keys.get(name)
        ssh = _ssh(host.connector, [pinned] if pinned else None)
        return Host(name=name, arguments=host.arguments, ssh=ssh)


def _ssh(told: Mapping[str, Any], pinned: Sequence[str] | None) -> Ssh:
    keys = told.get("hostKeys") or pinned
    bastion = told.get("bastion")
    return Ssh(
        address=told["address"],
        user=told["user"],
        private_key=told["privateKey"],
        port=int(told.get("port") or 22),
        host_keys=tuple(keys) if keys else None,
        bastion=_ssh(bastion, None) if bastion else None,
    )
