"""Hosts of pyinfra over real SSH servers, by our connector and by pyinfra's own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from pyinfra.api.command import StringCommand
from pyinfra.api.config import Config
from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory
from pyinfra.api.state import State
from pyinfra.connectors.ssh import SSHConnector

from pulumi_pyinfra.connector import FramedSshConnector, SshTarget
from tests.pulumi_pyinfra.sshd import Sshd

T = TypeVar("T")

QUICK = (
    # More than that lands on the standard error of what sshd starts.
    "LogLevel VERBOSE",
    # Without it bash reads the start-up file of whoever runs the tests, at each channel.
    "SetEnv SHLVL=5",
)


def target(server: Sshd, **changes: Any) -> SshTarget:
    """Where a server is, and its right keys unless they are changed."""
    given = {
        "address": server.address,
        "port": server.port,
        "user": server.user,
        "private_key": server.private_key,
        "host_keys": (server.host_key,),
    }
    return SshTarget(**{**given, **changes})


def host(where: SshTarget) -> Host:
    """A host that our connector reaches; it is not yet connected."""
    return hosts({"host": where})[0]


def hosts(where: dict[str, SshTarget]) -> list[Host]:
    inventory = Inventory(([(name, {"ssh_target": at}) for name, at in where.items()], {}))
    for one in inventory:
        one.connector_cls = FramedSshConnector
    State(inventory, Config())
    return list(inventory)


def host_of_pyinfra(server: Sshd) -> Host:
    """The same host, reached by pyinfra's own connector."""
    data = {
        "ssh_hostname": server.address,
        "ssh_port": server.port,
        "ssh_user": server.user,
        "ssh_key": str(server.folder / "user"),
        "ssh_known_hosts_file": str(server.folder / "known_hosts"),
        "ssh_strict_host_key_checking": "no",
        "ssh_allow_agent": False,
        "ssh_look_for_keys": False,
    }
    inventory = Inventory(([("host", data)], {}))
    for one in inventory:
        one.connector_cls = SSHConnector
    State(inventory, Config())
    return inventory.get_host("host")


@contextmanager
def connected(one: Host) -> Iterator[Host]:
    """Connect, and disconnect at the end of the block."""
    one.connect(raise_exceptions=True)
    try:
        yield one
    finally:
        one.disconnect()


def until(condition: Callable[[], object]) -> None:
    """Wait until something has happened."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.01)


def in_time(work: Callable[[], T]) -> T:
    """Do what would otherwise hang for ever, if it did."""
    done: Future[T] = Future()

    def do_it() -> None:
        try:
            done.set_result(work())
        except Exception as error:  # noqa: BLE001  # raised where it is waited for
            done.set_exception(error)

    threading.Thread(target=do_it, daemon=True).start()
    return done.result(timeout=60)


class Codes(list[int]):
    """Exit codes that count as success; remembers which one was asked for."""

    seen: int | None = None

    def __contains__(self, code: object) -> bool:
        self.seen = code if isinstance(code, int) else None
        return super().__contains__(code)


def codes_of(arguments: dict[str, Any]) -> Codes:
    return Codes(arguments.get("_success_exit_codes") or [0])


def run(one: Host, command: str, **arguments: Any) -> tuple[int | None, list[str], list[str]]:
    """Run a command; its exit code and the lines of its two streams."""
    codes = codes_of(arguments)
    arguments = {**arguments, "_success_exit_codes": codes}
    _, output = one.run_shell_command(command, **arguments)
    return codes.seen, output.stdout_lines, output.stderr_lines


def together(
    one: Host, asked: Iterable[tuple[str, dict[str, Any]]]
) -> list[tuple[int | None, list[str], list[str]]]:
    """The same for commands that are sent at once."""
    kept = [
        (StringCommand(command), {**more, "_success_exit_codes": codes_of(more)})
        for command, more in asked
    ]
    answers = in_time(lambda: one.connector.run_together(kept))
    return [
        (more["_success_exit_codes"].seen, output.stdout_lines, output.stderr_lines)
        for (_, more), (_, output) in zip(kept, answers, strict=True)
    ]
