"""A tool is installed, and then asked: a plan can't know what it will answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO

from pyinfra import host
from pyinfra.api import FactBase, StringCommand, deploy, operation
from pyinfra.operations import files, server


@dataclass(frozen=True, kw_only=True)
class Tool:
    """Where the tool is."""

    root: str
    install: bool = True
    ask_first: bool = False
    """Whether the deploy itself asks, and not only one of its operations."""


class Answer(FactBase[str]):
    """What the tool says."""

    def command(self, tool: str) -> str:
        return f"{tool} answer"


@operation()
def write_answer(tool: str, to: str) -> Iterator[str]:
    """Write down what the tool says."""
    answer = host.get_fact(Answer, tool=tool)
    yield f"echo {answer} > {to}"


@deploy("Tool")
def tool(wanted: Tool) -> None:
    """Install it, ask it, and do what depends on its answer."""
    path = f"{wanted.root}/tool"
    if wanted.install:
        script = StringIO("#!/bin/sh\necho forty-two\n")
        files.put(name="Install the tool", src=script, dest=path, mode="755")
    if wanted.ask_first:
        host.get_fact(Answer, tool=path)
    asked = write_answer(name="Ask the tool", tool=path, to=f"{wanted.root}/answer")
    server.shell(
        name="Tell the answer",
        commands=[f"cp {wanted.root}/answer {wanted.root}/told"],
        _if=asked.did_change,
    )
    files.put(name="Write a note", src=StringIO("note\n"), dest=f"{wanted.root}/note")


@deploy("Raising")
def raising(wanted: Tool) -> None:
    """Raise before anything is done."""
    server.shell(name="Never run", commands=[f"touch {wanted.root}/never"])
    raise LookupError(f"no such thing in {wanted.root}")


@deploy("Careless")
def careless(wanted: Tool) -> None:
    """Change the host while the deploy is only read."""
    if wanted.install:
        host.put_file(StringIO("x"), f"{wanted.root}/written")
    host.run_shell_command(StringCommand("touch", f"{wanted.root}/touched"))


@deploy("Branching")
def branching(wanted: Tool) -> None:
    """Do other things on one host than on another."""
    if wanted.install:
        server.shell(name="Lead", commands=[f"touch {wanted.root}/leader"], _serial=True)
    else:
        server.shell(name="Follow", commands=[f"touch {wanted.root}/follower"])


@deploy("Nested")
def nested(wanted: Tool) -> None:
    """Run a deploy within a deploy."""
    tool(wanted)


def without_contract() -> None:
    """Take nothing."""
