"""pyinfra's hosts and state, made to be watched: what ran last, what was complained about.

pyinfra's own ones go on with a default value where a fact can't be read, drop exit codes, and
number operations across hosts, so that two hosts whose deploys branch share a name. Ours stop,
keep, and number per host.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from pyinfra.api import arguments
from pyinfra.api.command import StringCommand
from pyinfra.api.config import Config
from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory
from pyinfra.api.state import State, StateOperationHostData
from pyinfra.connectors.base import BaseConnector
from pyinfra.connectors.util import CommandOutput
from pyinfra.context import ctx_host
from typing_extensions import override

# pyinfra reads the annotations of all arguments anew at each operation and each fact, and that was
# 40 % of what a plan costs.
arguments.all_global_arguments = cache(arguments.all_global_arguments)
LAST_LINES = 20
# How pyinfra ends each failure; it says nothing more than that there was one.
_EXECUTED = "Error: executed "


@dataclass(frozen=True, slots=True)
class Ran:
    """The last thing that was run on a host, and what came of it."""

    command: str
    ok: bool = False
    exit: int | None = None
    lines: tuple[str, ...] = ()


class FactFailedError(Exception):
    """A fact can't be read, so that nobody knows what an operation has to do."""


class WatchedHost(Host):
    """A host that remembers what ran last and what was logged about it."""

    def __init__(
        self, name: str, inventory: Inventory, connector: type[BaseConnector], number: int
    ) -> None:
        super().__init__(name, inventory, [], connector_cls=connector)
        # Part of pyinfra's identity of an operation: each host's are its own.
        self.loop_position = [number]
        self.ran: Ran | None = None
        self.complaints: deque[str] = deque(maxlen=LAST_LINES)

    def forget(self) -> None:
        """Start watching anew."""
        self.ran = None
        self.complaints.clear()

    def last_lines(self) -> str:
        """Return the last lines that say why something failed."""
        said = self.ran.lines if self.ran and not self.ran.ok else ()
        return "\n".join(said or self.complaints)

    @override
    def run_shell_command(
        self, command: StringCommand | str, *args: Any, **kwargs: Any
    ) -> tuple[bool, CommandOutput]:
        """Run a command, and keep its exit code, which pyinfra drops."""
        codes = _Codes(kwargs.get("_success_exit_codes") or [0])
        self.ran = Ran(str(command))
        ok, output = super().run_shell_command(
            command, *args, **{**kwargs, "_success_exit_codes": codes}
        )
        self.ran = Ran(str(command), ok, codes.seen, tuple(output.output_lines[-LAST_LINES:]))
        return ok, output

    @override
    def put_file(self, source: Any, to: str, *args: Any, **kwargs: Any) -> bool:
        """Upload a file."""
        self.ran = Ran(f"upload {to}")
        ok = super().put_file(source, to, *args, **kwargs)
        self.ran = Ran(f"upload {to}", ok)
        return ok


class _Codes(list[int]):
    """Exit codes that count as success; remembers which one was asked for."""

    seen: int | None = None

    @override
    def __contains__(self, code: object) -> bool:
        self.seen = code if isinstance(code, int) else None
        return super().__contains__(code)


Described: TypeAlias = tuple[str, type[WatchedHost], type[BaseConnector], dict[str, object]]
"""A host: its name, our class of it, its connector, and what that is told."""


class OneInventory(Inventory):
    """Hosts with connectors of any kind under names of any kind."""

    def __init__(self, described: Sequence[Described]) -> None:
        super().__init__((described, {}))  # type: ignore[no-untyped-call]  # pyinfra's

    @override
    def make_hosts_and_groups(self, names: Any, groups: Any) -> None:
        """Make the hosts; what pyinfra would look up, entry points and prefixes, is given."""
        self.hosts: dict[str, Host] = {}
        for number, (name, kind, connector, data) in enumerate(names):
            self.host_data[name] = data
            self.hosts[name] = kind(name, self, connector, number)


class OneState(State):
    """The state of one request, in which every host stands for itself."""

    def __init__(self, inventory: OneInventory, config: Config, deploy_name: str) -> None:
        self._deploy_name = deploy_name
        self._ran_once: set[str] = set()
        # Operations are only collected while a deploy is read: we run each one's own code
        # ourselves, once, and know which one fails.
        super().__init__(inventory, config, check_for_changes=False)
        # Without it pyinfra logs what a command said when it failed, and we have it already.
        self.print_output = self.print_fact_output = True

    @override
    def fail_hosts(self, hosts_to_fail: Any, activated_count: int | None = None) -> None:
        """Stop at a fact that can't be read: pyinfra would go on with its default value."""
        if hosts_to_fail:
            raise FactFailedError("a fact could not be read")

    @override
    def set_op_data_for_host(
        self, host: Host, op_hash: str, op_data: StateOperationHostData
    ) -> None:
        """Keep an operation; one that is to run once is left empty on all hosts but the first."""
        if self.op_meta[op_hash].global_arguments["_run_once"]:
            name = self.name_of(op_hash)
            if name in self._ran_once:
                op_data.command_generator = lambda: iter(())
            self._ran_once.add(name)
        super().set_op_data_for_host(host, op_hash, op_data)

    def name_of(self, op_hash: str) -> str:
        """Return an operation's name, or what it is called with."""
        meta = self.op_meta[op_hash]
        # All belongs to one deploy: its own name before each would say nothing.
        name = ", ".join(sorted(meta.names)).removeprefix(f"{self._deploy_name} | ")
        return f"{name} ({', '.join(meta.args)})" if meta.args else name

    def operations(self, host: Host) -> Iterator[tuple[str, str, StateOperationHostData]]:
        """Yield each operation of a host in order: its hash, its name, itself."""
        # A copy: operations may call others while they run.
        for op_hash in tuple(host.op_hash_order):
            yield op_hash, self.name_of(op_hash), self.ops[host][op_hash]

    def reread(self, hosts: Iterable[Host]) -> None:
        """Forget the operations of hosts, whose deploy is to be read again."""
        for host in hosts:
            for op_hash in host.op_hash_order:
                del self.op_meta[op_hash]
            host.op_hash_order.clear()
            self.ops[host].clear()
        self._ran_once.clear()
        self.is_executing = False


class Complaints(logging.Handler):
    """Gives what pyinfra logs as a warning to the host that it is about."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record's text."""
        host = ctx_host.get()
        said = record.getMessage()
        if isinstance(host, WatchedHost) and _EXECUTED not in said:
            host.complaints.append(said.removeprefix(host.print_prefix).strip())
