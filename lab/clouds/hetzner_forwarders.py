"""Hetzner's load balancers, as TCP forwarders in the lab's network.

All services pass bytes on, those for HTTP too: certificates and cookies are not emulated.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

from ..machines import Network
from ..machines.host import HostError
from ..machines.network import BRIDGE, NAMESPACES, entered
from .cloud import Cloud
from .forwarder import Forwarder, Listening
from .hetzner_balancers import matches
from .records import Record


class Forwarders:
    """All forwarders of a cloud, in a thread with a loop of their own; `follow` after a change."""

    def __init__(self, cloud: Cloud, network: Network) -> None:
        self._cloud, self._network = cloud, network
        self._loop = asyncio.new_event_loop()
        self._running: dict[Listening, asyncio.Task[None]] = {}
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def follow(self) -> None:
        """Begin what records ask for and end what they do not."""
        asyncio.run_coroutine_threadsafe(self._follow(), self._loop).result()

    def stop(self) -> None:
        """End all of them."""
        asyncio.run_coroutine_threadsafe(self._end(set(self._running)), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _follow(self) -> None:
        wanted = set(self._wanted())
        await self._end(set(self._running) - wanted)
        for listening in wanted - set(self._running):
            for address in listening.addresses:
                self._network.ip("address", "replace", f"{address}/32", "dev", BRIDGE)
            forwarder = Forwarder(listening, self._targets_of(listening), self._open_socket)
            self._running[listening] = asyncio.create_task(forwarder.run())

    async def _end(self, ended: set[Listening]) -> None:
        for listening in ended:
            task = self._running.pop(listening)
            task.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await task
        needed = {address for listening in self._running for address in listening.addresses}
        for address in {a for listening in ended for a in listening.addresses} - needed:
            with suppress(HostError):  # gone with the network, or never there
                self._network.ip("address", "delete", f"{address}/32", "dev", BRIDGE)

    def _wanted(self) -> Iterator[Listening]:
        records = self._cloud.records
        for service in records.of("LoadBalancerService"):
            balancer = records.get("LoadBalancer", str(service.inputs["loadBalancerId"]))
            if balancer is not None:
                joined = self._belonging("LoadBalancerNetwork", balancer.id)
                yield _listening(service, balancer, [j.outputs["ip"] for j in joined])

    def _belonging(self, kind: str, balancer: str) -> list[Record]:
        return [
            record
            for record in self._cloud.records.of(kind)
            if str(record.inputs["loadBalancerId"]) == balancer
        ]

    def _targets_of(self, listening: Listening) -> Callable[[], list[str]]:
        def targets() -> list[str]:
            found = self._belonging("LoadBalancerTarget", listening.owner)
            return [address for target in found for address in self._addresses_of(target)]

        return targets

    def _addresses_of(self, target: Record) -> Iterator[str]:
        if "ip" in target.inputs:
            yield target.inputs["ip"]
            return
        selector, number = target.inputs.get("labelSelector"), target.inputs.get("serverId")
        for server in self._cloud.records.of("Server"):
            chosen = selector and matches(selector, server.inputs.get("labels", {}))
            if chosen or server.id == str(number):
                yield _address_of(server, private=target.outputs["usePrivateIp"])

    def _open_socket(self) -> socket.socket:
        with entered(NAMESPACES / self._network.place.namespace):
            opened = socket.socket()
        opened.setblocking(False)
        return opened


def _address_of(server: Record, *, private: bool) -> str:
    networks = server.outputs.get("networks") or []
    address: str = networks[0]["ip"] if private and networks else server.outputs["ipv4Address"]
    return address


def _listening(service: Record, balancer: Record, private: list[str]) -> Listening:
    check = service.outputs["healthCheck"]
    return Listening(
        owner=balancer.id,
        addresses=(balancer.outputs["ipv4"], *private),
        port=service.outputs["listenPort"],
        destination=service.outputs["destinationPort"],
        check_port=check["port"],
        interval=check["interval"],
        timeout=check["timeout"],
        retries=check["retries"],
    )
