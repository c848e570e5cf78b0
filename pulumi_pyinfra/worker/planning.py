"""What a deploy would change: its operations are asked, on hosts that are only read.

The deploy is read once per host and each operation's own code runs after that, one by one: what
it yields is what it would run. An operation is answered as if those before it had run with that
answer, so that a condition on them (``_if``) can be tried as well.
"""

from __future__ import annotations

import copy
import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pyinfra.api.command import PyinfraCommand, StringCommand
from pyinfra.api.inventory import Inventory
from pyinfra.api.state import StateOperationHostData
from pyinfra.connectors.base import BaseConnector
from pyinfra.connectors.util import CommandOutput
from typing_extensions import override

from ..protocol import Finished, Operation, Status
from .applying import failure
from .differences import Call, difference
from .foreseeing import Answer, Rounds
from .hosts import FactFailedError, WatchedHost
from .session import Session


class ReadOnlyHost(WatchedHost):
    """A host that nothing is written to, and where a question asked again has the same answer."""

    def __init__(
        self, name: str, inventory: Inventory, connector: type[BaseConnector], number: int
    ) -> None:
        super().__init__(name, inventory, connector, number)
        self._answers: dict[str, Answer] = {}
        self._rounds: Rounds | None = None
        self.asked: list[str] = []
        """The commands by which facts were read since the last ``forget``."""
        self._reading = 0

    def scout(self, rounds: Rounds, operation: StateOperationHostData) -> ReadOnlyHost:
        """Return a copy on which an operation can be tried while others are."""
        scout = copy.copy(self)
        scout._rounds = rounds
        scout._reading = 0
        scout.asked, scout.complaints = [], deque()
        scout.in_op = True
        scout.current_op_global_arguments = operation.global_arguments
        return scout

    @override
    def forget(self) -> None:
        super().forget()
        self.asked.clear()

    @override
    def get_fact(self, name_or_cls: Any, *args: Any, **kwargs: Any) -> Any:
        """Read a fact: the one way in which a plan may run anything on a host."""
        self._reading += 1
        try:
            return super().get_fact(name_or_cls, *args, **kwargs)
        finally:
            self._reading -= 1

    @override
    def run_shell_command(
        self, command: StringCommand | str, *args: Any, **kwargs: Any
    ) -> tuple[bool, CommandOutput]:
        """Ask the host, or remember what it answered."""
        if not self._reading:
            raise PermissionError(f"a plan only reads facts, it does not run: {command}")
        raw = command if isinstance(command, str) else command.get_raw_value()
        question = f"{raw}\0{sorted(kwargs.items())}"
        self.asked.append(raw)
        if question in self._answers:
            return self._answers[question]
        if self._rounds is None:
            self._answers[question] = super().run_shell_command(command, *args, **kwargs)
            return self._answers[question]
        told = {name: value for name, value in kwargs.items() if not name.startswith("print_")}
        answer = self._rounds.ask(question, (command, told))
        if answer[0]:
            # What went wrong is asked again: then it is known what ran, and how it ended.
            self._answers[question] = answer
        return answer

    @override
    def put_file(self, source: Any, to: str, *args: Any, **kwargs: Any) -> bool:
        """Refuse: a plan changes nothing."""
        raise PermissionError(f"a plan only reads facts, it does not write: {to}")


class _NotRun(CommandOutput):
    """The output of an operation that would run: nobody knows it."""

    def __init__(self) -> None:
        super().__init__([])

    @property
    def output_lines(self) -> list[str]:
        raise _UnknownError("the output of an operation that has not run")

    stdout_lines = stderr_lines = output_lines


class _UnknownError(Exception):
    """Something is asked that only a run can answer."""


@dataclass
class _Earlier:
    """What the operations so far would touch."""

    anything: bool = False
    """Whether one of them may touch more than the files that it names."""
    paths: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return self.anything or bool(self.paths)

    def add(self, call: Call) -> None:
        self.anything |= not call.only_files
        self.paths |= call.paths

    def may_turn(self, asked: Sequence[str]) -> bool:
        """Whether they may change the answer to what was asked."""
        text = "\n".join(asked)
        named = (re.search(re.escape(path) + r"(?![\w.-])", text) for path in self.paths)
        return self.anything or any(named)


def plan(session: Session[ReadOnlyHost]) -> None:
    """Report for every operation of every host what it would change."""
    session.connect()
    faults = session.read_deploy(session.hosts)
    session.each(lambda host: _foresee(session, host), session.hosts)
    session.each(lambda host: _plan_host(session, host, faults.get(host)), session.hosts)


def _foresee(session: Session[ReadOnlyHost], host: ReadOnlyHost) -> None:
    """Have the host's answers at hand before the plan is made, where its connector allows."""
    together = getattr(host.connector, "run_together", None)
    if together is None:
        return
    rounds = Rounds(together)

    def scout(operation: StateOperationHostData) -> None:
        alone = host.scout(rounds, operation)
        with session.within(alone):
            call = Call.of(operation)
            difference(alone, call, list(call.commands()))

    operations = [operation for _, _, operation in session.state.operations(host)]
    rounds.walk([partial(scout, operation) for operation in operations])


def _plan_host(session: Session[ReadOnlyHost], host: ReadOnlyHost, fault: Exception | None) -> None:
    start = time.monotonic()
    earlier = _Earlier()
    told: list[Status] = []
    for _, name, operation in session.state.operations(host):
        if session.cancelled:
            said = Operation(host=host.name, name=name, status=Status.SKIPPED)
        else:
            said = _estimate(host, name, operation, earlier)
        told.append(said.status)
        session.channel.send(said)
    if isinstance(fault, FactFailedError) and earlier:
        told.append(Status.UNKNOWN)
        said = _unsaid(host, "the rest of the deploy", Status.UNKNOWN, fault)
        session.channel.send(said)
    elif fault:
        session.channel.send(session.broken(host, fault))
    session.channel.send(
        Finished(
            host=host.name,
            changed=told.count(Status.CHANGES) + told.count(Status.UNKNOWN),
            unchanged=told.count(Status.UNCHANGED),
            skipped=told.count(Status.SKIPPED),
            failed=Status.FAILED in told or (bool(fault) and Status.UNKNOWN not in told),
            seconds=round(time.monotonic() - start, 3),
        )
    )


def _estimate(
    host: ReadOnlyHost, name: str, operation: StateOperationHostData, earlier: _Earlier
) -> Operation:
    host.forget()
    conditions = _conditions(operation)
    try:
        runs = all(condition() for condition in conditions)
        commands = list(operation.command_generator()) if runs else []
        said = _said(host, name, operation, commands)
    except Exception as error:  # noqa: BLE001 - an operation may raise anything
        # What came before has not run, and may be what is missed here. If nothing did, it will
        # be missed in a run too.
        status = Status.UNKNOWN if earlier or isinstance(error, _UnknownError) else Status.FAILED
        earlier.anything = True
        return _unsaid(host, name, status, error)
    depends = (bool(conditions) and bool(earlier)) or earlier.may_turn(host.asked)
    if commands:
        earlier.add(Call.of(operation))
    output = _NotRun() if commands else CommandOutput([])
    operation.operation_meta.set_complete(True, commands, output)
    return replace(said, at_least=depends)


def _conditions(operation: StateOperationHostData) -> list[Callable[[], bool]]:
    held = operation.global_arguments["_if"] or []
    return held if isinstance(held, list) else [held]


def _said(
    host: ReadOnlyHost,
    name: str,
    operation: StateOperationHostData,
    commands: Sequence[PyinfraCommand],
) -> Operation:
    if not commands:
        return Operation(host=host.name, name=name, status=Status.UNCHANGED)
    # Facts are to be read as the user that the operation runs as.
    host.current_op_global_arguments = operation.global_arguments
    try:
        would = difference(host, Call.of(operation), commands)
    finally:
        host.current_op_global_arguments = None
    return Operation(
        host=host.name,
        name=name,
        status=Status.CHANGES,
        diff=would.diff,
        details=would.details,
    )


def _unsaid(host: ReadOnlyHost, name: str, status: Status, error: Exception) -> Operation:
    return replace(failure(host, name, f"{type(error).__name__}: {error}"), status=status)
