"""What an operation that has not run would change, as a unified diff and in words.

pyinfra's own ``--diff`` covers uploads and two kinds of ``files.line``, without file names, and
fails on binary files. Here the file that the host has is read (a fact), and what the operation
would make of it is worked out as pyinfra does.
"""

from __future__ import annotations

import difflib
import inspect
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pyinfra.api.command import (
    FileDownloadCommand,
    FileUploadCommand,
    FunctionCommand,
    PyinfraCommand,
    RsyncCommand,
    StringCommand,
)
from pyinfra.api.host import Host
from pyinfra.api.state import StateOperationHostData
from pyinfra.api.util import get_file_io
from pyinfra.facts.files import Directory, File, FileContents

from .edits import EDITS

_LONGEST = 2000
_FILES = "pyinfra.operations.files"


@dataclass(frozen=True)
class Call:
    """The function of an operation, and what it was called with."""

    function: Callable[..., Iterable[PyinfraCommand | str]]
    given: tuple[Sequence[Any], Mapping[str, Any]]

    @classmethod
    def of(cls, operation: StateOperationHostData) -> Call:
        """Look into an operation: pyinfra keeps its function only inside of a closure."""
        held = inspect.getclosurevars(operation.command_generator).nonlocals
        if "func" not in held:
            return cls(lambda: (), ((), {}))
        return cls(held["func"], (held["args"], held["kwargs"]))

    @property
    def name(self) -> str:
        """What the function is called."""
        return self.function.__name__

    @cached_property
    def arguments(self) -> Mapping[str, Any]:
        """What it was called with, by the names of its parameters."""
        args, kwargs = self.given
        bound = inspect.signature(self.function).bind(*args, **kwargs)
        bound.apply_defaults()
        return bound.arguments

    def commands(self) -> Iterator[PyinfraCommand]:
        """Yield what it would run now, whatever its conditions say."""
        args, kwargs = self.given
        for command in self.function(*args, **kwargs):
            yield StringCommand(command.strip()) if isinstance(command, str) else command

    @property
    def only_files(self) -> bool:
        """Whether it touches the files that it names, and nothing else."""
        return self.function.__module__ == _FILES

    @property
    def paths(self) -> set[str]:
        """The files and folders that it names."""
        named = (self.arguments.get(key) for key in ("path", "dest", "src"))
        return {path for path in named if isinstance(path, str)}


@dataclass(frozen=True, slots=True)
class Difference:
    """What would change."""

    diff: str | None
    details: tuple[str, ...]


def difference(host: Host, call: Call, commands: Sequence[PyinfraCommand]) -> Difference:
    """Tell what the commands of an operation would change."""
    diffs: list[str] = []
    details: list[str] = []
    edit = EDITS.get(call.name) if call.only_files else None
    edited = edit(host, call.arguments) if edit else None
    if edited:
        diffs.append(_unified(*edited))
    for command in commands:
        if isinstance(command, FileUploadCommand):
            diff, words = _upload(host, command)
            diffs.append(diff)
            details.append(words)
        elif not (edited and _edits_in_place(command)):
            details.append(_in_words(host, command))
    text = "\n".join(filter(None, diffs))
    return Difference(text or None, tuple(filter(None, details)))


def _upload(host: Host, command: FileUploadCommand) -> tuple[str, str]:
    """Return the diff of an upload, or what to say in its place."""
    with get_file_io(command.src) as file:
        read = file.read()
    wanted = read if isinstance(read, bytes) else read.encode()
    try:
        lines = wanted.decode().splitlines()
    except UnicodeDecodeError:
        return "", f"{command.dest}: {len(wanted)} bytes that are no text"
    diff = _unified(command.dest, host.get_fact(FileContents, path=command.dest), lines)
    return diff, "" if diff else f"{command.dest}: written anew"


def _unified(path: str, before: Sequence[str] | None, after: Sequence[str]) -> str:
    old = "/dev/null" if before is None else path
    lines = list(difflib.unified_diff(before or [], after, old, path, lineterm=""))
    if len(lines) > _LONGEST:
        lines[_LONGEST:] = [f"... {len(lines) - _LONGEST} more lines"]
    return "\n".join(lines)


def _edits_in_place(command: PyinfraCommand) -> bool:
    words = _words(command)
    return bool(words) and words[0] not in ("chmod", "chown", "chgrp")


def _in_words(host: Host, command: PyinfraCommand) -> str:
    match command, _words(command):
        case _, ["chmod", str(mode), str(path)]:
            words = _from_to(path, "mode", _now(host, path).get("mode"), mode)
        case _, ["chown", str(owner), str(path)]:
            now = _now(host, path)
            user = f"{now.get('user')}:{now.get('group')}" if ":" in owner else now.get("user")
            words = _from_to(path, "owner", user if now else None, owner)
        case _, ["chgrp", str(group), str(path)]:
            words = _from_to(path, "group", _now(host, path).get("group"), group)
        case FunctionCommand(), _:
            words = f"call {command.function.__name__}"
        case FileDownloadCommand(), _:
            words = f"download {command.src}"
        case RsyncCommand(), _:
            words = f"rsync {command.src} to {command.dest}"
        case _:
            words = f"run {command}"
    return words


def _from_to(path: str, what: str, before: object, after: str) -> str:
    if before is None:
        return f"{path}: {what} {after}"
    if str(before) == after:
        return ""  # set again, as pyinfra does after each upload
    return f"{path}: {what} {before} -> {after}"


def _now(host: Host, path: str) -> Mapping[str, Any]:
    return host.get_fact(File, path=path) or host.get_fact(Directory, path=path) or {}


def _words(command: PyinfraCommand) -> list[str]:
    if not isinstance(command, StringCommand):
        return []
    try:
        return shlex.split(command.get_masked_value())
    except ValueError:
        return []
