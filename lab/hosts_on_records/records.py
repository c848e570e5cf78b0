"""STAND-IN: the provider of deploys as it is, with workers that connect to nobody.

Arguments are checked against the contracts for real. Every change succeeds at once, every host is
always as it was left, and none of them leads.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from pulumi.provider.experimental import provider as api
from typing_extensions import override

from pulumi_pyinfra.engine import Engine
from pulumi_pyinfra.protocol import Action, Answered, Event, Finished, Request
from pulumi_pyinfra.provider import PyinfraProvider
from pulumi_pyinfra.worker_process import Worker, Workers

LOUD = "STAND-IN: hosts are records here; arguments are checked, nobody is connected to"


class RecordsWorker(Worker):
    """Checks as any worker does; all else is said to have been done."""

    @override
    async def events(self, request: Request) -> AsyncIterator[Event]:
        """Yield what a worker would say of hosts that are always well."""
        if request.action is Action.CHECK:
            async for event in super().events(request):
                yield event
            return
        for host in request.hosts:
            if request.action is Action.ASK:
                yield Answered(host=host.name, yes=False)
            yield Finished(host=host.name)


class RecordsWorkers(Workers):
    """Workers of that kind."""

    @override
    def take(self) -> Worker:
        """Return a worker; one that checks is asked again."""
        return self._free.pop() if self._free else RecordsWorker(self._log)


class OnRecords(PyinfraProvider):
    """The provider, which says that it is none."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._workers = RecordsWorkers()

    @override
    async def configure(self, request: api.ConfigureRequest) -> api.ConfigureResponse:
        """Say it once in each run."""
        await self._engine.say("", LOUD, warning=True)
        return await super().configure(request)
