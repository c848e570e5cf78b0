"""One request's hosts, connected at once, and its deploy read for each of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

import pyinfra
from gevent.pool import Pool
from pyinfra.api.config import Config
from pyinfra.api.state import StateStage
from pyinfra.context import ctx_config, ctx_host, ctx_inventory, ctx_state

from .. import contract
from ..connector import Connections
from ..protocol import Broken, Connected, Finished, Request, Unknown, Unreachable
from .channel import Channel
from .connecting import connector_of
from .hosts import Complaints, OneInventory, OneState, WatchedHost
from .loading import deploy_name, load, raised

H = TypeVar("H", bound=WatchedHost)


class Session(Generic[H]):
    """The hosts of a request, and what its deploy wants of them."""

    def __init__(
        self, request: Request, channel: Channel, connections: Connections, kind: type[H]
    ) -> None:
        self.request = request
        self.channel = channel
        self._deploy = load(request)
        self.sound = True
        """Whether the arguments of every host are what the deploy takes."""
        self._wanted = self._read_arguments()
        described = [
            (host.name, kind, *connector_of(host, connections))
            for host in request.hosts
            if host.name in self._wanted
        ]
        inventory = OneInventory(described)
        self._all = [host for host in inventory if isinstance(host, kind)]
        at_once = request.parallel or max(len(described), 1)
        self._pool = Pool(at_once)
        self.state = OneState(
            inventory, Config(SUDO=request.sudo, PARALLEL=at_once), deploy_name(self._deploy)
        )
        self.state.cwd = request.path
        self.hosts: list[H] = []
        """Those that are connected."""
        ctx_state.set(self.state)
        ctx_inventory.set(inventory)
        self._complaints = Complaints(logging.WARNING)
        pyinfra.logger.addHandler(self._complaints)

    def _read_arguments(self) -> dict[str, object]:
        kind = contract.contract_of(self._deploy)
        wanted = {}
        for host in self.request.hosts:
            reading = contract.read(
                kind, self.request.arguments, host.arguments, settled=self.request.settled
            )
            self.sound &= reading.complete
            if reading.faults:
                reason = "; ".join(map(str, reading.faults))
                self.channel.send(Broken(host=host.name, reason=reason))
            elif reading.unknown:
                self.channel.send(Unknown(host=host.name, paths=tuple(reading.unknown)))
            else:
                wanted[host.name] = reading.value
        return wanted

    @property
    def cancelled(self) -> bool:
        """Whether no other operation may start."""
        return bool(self.channel.cancelled.is_set())

    def connect(self) -> None:
        """Connect to all hosts at once; those that answer are in ``hosts`` then."""
        self.each(self._connect, self._all)
        self.hosts = [host for host in self._all if host.connected]

    def _connect(self, host: H) -> None:
        if self.cancelled:
            self.channel.send(Finished(host=host.name, skipped=1))
            return
        start = time.monotonic()
        try:
            host.connect(show_errors=False, raise_exceptions=True)
        except Exception as error:  # noqa: BLE001 - one host must not be the end of the others
            self.channel.send(Unreachable(host=host.name, reason=str(error)))
            return
        self.state.activate_host(host)
        met = Connected(
            host=host.name,
            host_key=getattr(host.connector, "host_key", None),
            bastion_host_key=getattr(host.connector, "bastion_host_key", None),
            seconds=round(time.monotonic() - start, 3),
        )
        self.channel.send(met)

    def call(self, hosts: Iterable[H]) -> tuple[dict[H, object], dict[H, Exception]]:
        """Call the deploy for hosts; answers with what it returned and what it raised, by host."""
        answers: dict[H, object] = {}
        faults: dict[H, Exception] = {}

        def call(host: H) -> None:
            try:
                answers[host] = self._deploy(self._wanted[host.name])
            except Exception as error:  # noqa: BLE001 - a deploy may raise anything
                faults[host] = error

        self.each(call, hosts)
        return answers, faults

    def read_deploy(self, hosts: Iterable[H]) -> dict[H, Exception]:
        """Collect the operations of hosts; answers with what the deploy raised, by host."""
        return self.call(hosts)[1]

    def broken(self, host: H, error: Exception) -> Broken:
        """Return the event that says what the deploy raised for a host."""
        return Broken(host=host.name, reason=raised(error, self.request.path))

    def executing(self) -> None:
        """From here on operations change hosts."""
        self.state.set_stage(StateStage.Execute)
        self.state.is_executing = True

    def each(self, work: Callable[[H], None], hosts: Iterable[H]) -> None:
        """Do something for every host at once; what it raises is raised."""

        def of(host: H) -> None:
            with self.within(host):
                work(host)

        greenlets = [self._pool.spawn(of, host) for host in hosts]
        for greenlet in greenlets:
            greenlet.get()

    @contextmanager
    def within(self, host: H) -> Iterator[None]:
        """Make a host the one that operations and facts are about."""
        # pyinfra's own managers don't reset when the body raises.
        ctx_host.set(host)
        ctx_config.set(self.state.config.copy())
        try:
            yield
        finally:
            ctx_host.reset()
            ctx_config.reset()

    def close(self) -> None:
        """Give every connection back."""
        self.each(lambda host: host.disconnect(), self.hosts)
        pyinfra.logger.removeHandler(self._complaints)
