"""A group of hosts on its way from what was reached to what is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .engine import Engine
from .failures import DeployFailedError
from .narration import Narration
from .progress import Progress
from .protocol import Action, Connected, Request
from .reached import Reached
from .rollout import Work, next_batch, work
from .wanted import Wanted
from .worker_process import Worker, Workers


class Group:
    """Runs workers for one resource, and tells the engine what they say."""

    def __init__(
        self,
        engine: Engine,
        workers: Workers,
        urn: str,
        *,
        wanted: Wanted,
        reached: Reached,
        secrets: Sequence[str],
    ) -> None:
        self._engine, self._urn = engine, urn
        self._wanted, self.reached, self._secrets = wanted, reached, tuple(secrets)
        self._workers = workers
        self._busy: set[Worker] = set()
        self._cancelled = False

    async def faults(self) -> list[str]:
        """Return what contracts say against the arguments, by input, host and key."""
        wanted, rollout = self._wanted, self._wanted.rollout
        deploys = {
            "deploy": wanted.deploy,
            "rollout.probe": rollout.probe,
            "rollout.last_if": rollout.last_if,
            "leave": wanted.leave,
            "on_delete": wanted.on_delete,
        }
        asked = {key: deploy for key, deploy in deploys.items() if deploy}
        hosts = [name for name in wanted.hosts if wanted.knows(name)]
        told = []
        for key, deploy in asked.items():
            others: list[str] | None = [] if key == "leave" else None
            narration = await self._ask(Action.CHECK, deploy, hosts, others=others)
            told += [f"{key}: {fault}" for fault in narration.faults]
        return told

    async def tell_plan(self) -> None:
        """Say under the resource what an update would change inside each host."""
        todo, hosts = self._work(), self._wanted.hosts
        new = [name for name in todo.change if not hosts[name].exists]
        vague = [n for n in todo.change if n not in new and not self._wanted.knows(n)]
        asked = [name for name in todo.change if name not in (*new, *vague)]
        narration = await self._ask(Action.PLAN, self._wanted.deploy, asked)
        narration.note(new, "does not exist yet; everything will be done")
        narration.note(vague, "its arguments are not known yet")
        for host in todo.leave:
            narration.note([host], f"leaves the group and {self._farewell(host)}")
        if narration.faults:
            raise DeployFailedError("; ".join(narration.faults))
        await self._engine.say(self._urn, narration.plan(diffs=self._engine.wants_diffs))

    async def drift(self) -> dict[str, list[str]]:
        """Return what differs inside each host from what was reached."""
        hosts = [name for name in self.reached.applied if name in self._wanted.hosts]
        narration = await self._ask(Action.PLAN, self._wanted.deploy, hosts)
        if narration.faults:
            raise DeployFailedError("; ".join(narration.faults))
        # Of a host that can't be asked nothing new is known.
        known = {h: self.reached.drift[h] for h in narration.unreachable if h in self.reached.drift}
        drift = narration.changes()
        if drift or narration.unreachable:
            told = narration.plan(diffs=self._engine.wants_diffs)
            await self._engine.say(self._urn, told, warning=True)
        return known | drift

    async def bring(self, old: Mapping[str, Any]) -> list[str]:
        """Change batch by batch; return the reasons why not all was reached, or none."""
        for host in self._work().leave:
            if reasons := await self._leave(host, old):
                return reasons
        rollout = self._wanted.rollout
        canary = rollout.canary
        while left := self._work().change:
            if self._cancelled:
                return [f"cancelled; not changed: {', '.join(left)}"]
            last = {*rollout.last}
            together = rollout.together_at_first and not self.reached.settled
            if rollout.last_if and len(left) > 1:
                asked = await self._ask(Action.ASK, rollout.last_if, left)
                if asked.faults:
                    return asked.faults
                in_use = {host for host, yes in asked.answers.items() if yes}
                last |= in_use
                together = together and not in_use
            batch = (
                tuple(left)
                if together
                else next_batch(left, serial=rollout.serial, canary=canary, last=last)
            )
            if reasons := await self._change(batch):
                rest = [host for host in left if host not in batch]
                return [*reasons, *([f"untouched: {', '.join(rest)}"] if rest else [])]
            canary = False
        return []

    async def delete(self) -> None:
        """Run ``on_delete`` on every host that can be reached."""
        if self._wanted.on_delete is None:
            await self._engine.say(self._urn, "the hosts are left as they are (no on_delete)")
            return
        narration = await self._ask(
            Action.APPLY, self._wanted.on_delete, list(self.reached.applied)
        )
        if narration.unreachable:
            gone = "; ".join(f"{h}: {why}" for h, why in narration.unreachable.items())
            await self._engine.say(self._urn, f"not cleaned: {gone}", warning=True)
        if failed := [*narration.failures.values(), *narration.faults]:
            raise DeployFailedError("; ".join(failed))
        if self._cancelled:
            raise DeployFailedError("cancelled")

    async def cancel(self) -> None:
        """Let what runs finish, and start nothing more."""
        self._cancelled = True
        await asyncio.gather(*(worker.cancel() for worker in self._busy))

    def _work(self) -> Work:
        return work(self._wanted.digests(), self.reached.applied, self.reached.drift)

    async def _change(self, batch: Sequence[str]) -> list[str]:
        """Change some hosts at once; return why not all of them are what is wanted."""
        narration = await self._ask(Action.APPLY, self._wanted.deploy, batch)
        changed = [host for host in batch if host in narration.succeeded]
        probe, seconds = self._wanted.rollout.probe, self._wanted.rollout.probe_seconds
        if probe and changed:
            probed = await self._ask(Action.PROBE, probe, changed)
            narration.faults += probed.faults
            narration.failures |= {
                host: f"{host}: changed, but its probe {probe} did not succeed within "
                f"{seconds} s: {why}"
                for host, why in probed.bad().items()
            }
            changed = [host for host in changed if host in probed.succeeded]
        digests = self._wanted.digests()
        for host in changed:
            self.reached.keep(host, digests[host])
        reasons = [*narration.bad().values(), *narration.faults]
        if not (reasons or self._cancelled):
            reasons = [f"{host}: the worker did not finish" for host in {*batch} - {*changed}]
        return reasons

    async def _leave(self, host: str, old: Mapping[str, Any]) -> list[str]:
        """Let a host leave the group; return why it may not."""
        if host in self._wanted.gone:
            await self._engine.say(self._urn, f"{host}: {self._farewell(host)}", warning=True)
        elif self._wanted.leave is not None:
            before = replace(Wanted.parse(old), arguments=self._wanted.arguments)
            others = [other for other in self._wanted.hosts if other != host]
            narration = await self._ask(
                Action.APPLY, self._wanted.leave, [host], others=others, wanted=before
            )
            if bad := [*narration.bad().values(), *narration.faults]:
                return [f"{host} may not leave: {why}" for why in bad]
            if host not in narration.succeeded:
                return [f"cancelled; {host} has not left"]
        self.reached.forget(host)
        return []

    def _farewell(self, host: str) -> str:
        if host in self._wanted.gone:
            return "is gone for good, as the program says: nothing runs on it"
        return f"runs {self._wanted.leave} first" if self._wanted.leave else "is left as it is"

    async def _ask(
        self,
        action: Action,
        deploy: str,
        names: Iterable[str],
        *,
        others: Sequence[str] | None = None,
        wanted: Wanted | None = None,
    ) -> Narration:
        """Have a worker do something on hosts; what goes wrong is told, never raised."""
        narration = Narration()
        told = wanted or self._wanted
        more = {} if others is None else {"others": others}
        hosts = {
            name: self.reached.recognised(told.hosts[name].reach(name, **more)) for name in names
        }
        if not hosts:
            return narration
        request = Request(
            action=action,
            deploy=deploy,
            path=str(Path.cwd()),
            hosts=tuple(hosts.values()),
            arguments=told.arguments if isinstance(told.arguments, Mapping) else {},
            sudo=told.sudo,
            settled=self.reached.settled,
            secrets=self._secrets,
            debug=self._engine.wants_debug,
            deadline=told.rollout.probe_seconds,
        )
        worker = self._workers.take()
        self._busy.add(worker)
        try:
            if self._cancelled:
                await worker.cancel()
            with Progress(self._progress(action)) as progress:
                try:
                    async for event in worker.events(request):
                        narration.hear(event)
                        await progress.hear(event)
                        if isinstance(event, Connected):
                            self.reached.pin(event, hosts[event.host].ssh)
                except DeployFailedError as error:
                    at = [f"{host}: while it ran: {op}" for host, op in progress.running.items()]
                    narration.faults.append("; ".join([str(error), *at]))
        finally:
            self._busy.discard(worker)
            self._workers.give_back(worker)
        return narration

    def _progress(self, action: Action) -> Callable[[str], Awaitable[None]]:
        async def say(text: str) -> None:
            if action is Action.APPLY:
                await self._engine.say(self._urn, text, live=True)

        return say
