"""A load balancer sends to targets that answer, each in its turn, and to no other."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from typing import Any

from lab.clouds.forwarder import Forwarder, Health, Listening
from tests.pulumi_pyinfra.sshd import free_port

Running = Callable[[int, Forwarder], Coroutine[Any, Any, Any]]


def test_a_target_is_well_at_its_first_answer_and_ill_after_so_many_without():
    health = Health()
    seen = []
    for answered in (False, True, False, False, True):
        health.note(answered=answered, retries=2)
        seen.append(health.well)

    assert seen == [False, True, True, False, True]


async def a_target(stack: AsyncExitStack, address: str, port: int) -> None:
    """Serve a target that says its address and then what it is told."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(address.encode() + b" " + await reader.read())
        writer.close()

    await stack.enter_async_context(await asyncio.start_server(answer, address, port))


async def ask(port: int, word: bytes = b"hello") -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(word)
    writer.write_eof()
    try:
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()


def run(targets: list[str], then: Running) -> Any:
    """Run a forwarder before targets on loopback addresses; the last one answers no check."""

    def opened() -> socket.socket:
        made = socket.socket()
        made.setblocking(False)
        return made

    async def all_of_it() -> Any:
        listens, serves, checked = free_port(), free_port(), free_port()
        listening = Listening(
            owner="1", addresses=("127.0.0.1",), port=listens, destination=serves,
            check_port=checked, interval=0.02, timeout=1, retries=1,
        )  # fmt: skip
        forwarder = Forwarder(listening, lambda: targets, opened)
        async with AsyncExitStack() as stack:
            for target in targets:
                await a_target(stack, target, serves)
            for target in targets[:-1]:
                await a_target(stack, target, checked)
            running = asyncio.create_task(forwarder.run())
            try:
                while sum(h.well for h in forwarder.health.values()) < len(targets) - 1:
                    await asyncio.sleep(0.005)
                return await then(listens, forwarder)
            finally:
                running.cancel()
                with suppress(asyncio.CancelledError):
                    await running

    return asyncio.run(all_of_it())


def test_each_target_that_answers_its_checks_has_its_turn_and_the_others_none():
    async def four(port: int, _forwarder: Forwarder) -> list[bytes]:
        return [await ask(port) for _ in range(4)]

    answers = run(["127.0.0.2", "127.0.0.3", "127.0.0.4"], four)

    assert sorted(answers) == [b"127.0.0.2 hello"] * 2 + [b"127.0.0.3 hello"] * 2


def test_a_long_stream_arrives_whole():
    async def once(port: int, _forwarder: Forwarder) -> bytes:
        return await ask(port, b"x" * 3_000_000)

    assert len(run(["127.0.0.2", "127.0.0.9"], once)) == 3_000_000 + len("127.0.0.2 ")


def test_without_a_target_that_answers_the_connection_is_closed():
    async def once(port: int, forwarder: Forwarder) -> bytes:
        forwarder.targets = list
        return await ask(port, b"")

    assert run(["127.0.0.2", "127.0.0.9"], once) == b""
