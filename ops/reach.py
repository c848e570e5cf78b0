"""Machines reached over SSH as the state says: by its keys and pins, and nothing of the user's."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any, cast

from pulumi_pyinfra.protocol import Ssh
from pulumi_pyinfra.reached import Reached
from pulumi_pyinfra.wanted import TYPE, Wanted

_SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 - the key by which the state marks one
_NOT_REACHED = 255


class FailedError(RuntimeError):
    """A command on a machine failed; the message says where, and what it said."""


class UnreachableError(FailedError):
    """A machine did not answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """One machine."""

    name: str
    command: tuple[str, ...] = field(repr=False)
    """The command line that runs a shell command there, but for that."""
    sudo: bool = False

    def run(self, command: str, *, stdin: bytes = b"", seconds: float = 60) -> str:
        """Run a shell command as root and return what it said."""
        try:
            done = subprocess.run(
                self.words(command),
                input=stdin,
                capture_output=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise FailedError(f"{self.name}: {command}: no end after {seconds} s") from None
        said, wrong = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        if done.returncode == _NOT_REACHED:
            raise UnreachableError(f"{self.name}: {wrong.strip()}")
        if done.returncode:
            told = "\n".join(filter(None, (wrong.strip(), said.strip())))
            raise FailedError(f"{self.name}: {command}: exit {done.returncode}\n{told}")
        return said

    def words(self, command: str) -> list[str]:
        """Return what runs a shell command there as root."""
        as_root = f"sudo -n sh -c {shlex.quote(command)}" if self.sudo else command
        return [*self.command, as_root]


def pipe(source: Machine, command: str, target: Machine, into: str, *, seconds: float) -> None:
    """Have one machine's command read what another's says; raise with what went wrong in either."""
    with (
        TemporaryFile() as complaints,
        subprocess.Popen(
            source.words(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
        ) as says,
        subprocess.Popen(
            target.words(into), stdin=says.stdout, stdout=complaints, stderr=complaints
        ) as reads,
    ):
        cast("IO[bytes]", says.stdout).close()
        try:
            reads.wait(seconds)
            says.wait(seconds)
        except subprocess.TimeoutExpired:
            says.kill()
            reads.kill()
            raise FailedError(f"{source.name} to {target.name}: no end after {seconds} s") from None
        complaints.seek(0)
        wrong = complaints.read().decode(errors="replace").strip()
    if says.returncode or reads.returncode:
        raise FailedError(
            f"{source.name}: {command}: exit {says.returncode}\n"
            f"{target.name}: {into}: exit {reads.returncode}\n{wrong}"
        )


@contextmanager
def machines(hosts: Mapping[str, Ssh], *, sudo: bool = False) -> Iterator[dict[str, Machine]]:
    """Have the machines within a block: keys lie in a folder of this user's that ends with it."""
    with TemporaryDirectory() as folder:
        yield {
            name: Machine(
                name=name,
                command=_command(ssh, Path(folder), name),
                sudo=sudo and ssh.user != "root",
            )
            for name, ssh in hosts.items()
        }


def hosts_of(state: Mapping[str, Any], deploy: str) -> tuple[dict[str, Ssh], bool]:
    """Return how the hosts of a deploy are reached, from a stack's export, and whether by sudo."""
    for hosts, sudo in all_hosts_of(state, deploy):
        return hosts, sudo
    raise FailedError(f"the state knows no hosts of {deploy}: was `pulumi up` run?")


def all_hosts_of(state: Mapping[str, Any], deploy: str) -> Iterator[tuple[dict[str, Ssh], bool]]:
    """Yield the hosts of each resource of a deploy, in the state's order."""
    resources = state["deployment"]["resources"]
    found = [r["outputs"] for r in resources if r["type"] == TYPE]
    for outputs in map(_opened, found):
        wanted = Wanted.parse(outputs)
        if wanted.deploy == deploy:
            reached = Reached.of(outputs, wanted)
            told = {n: reached.recognised(h.reach(n)).ssh for n, h in wanted.hosts.items()}
            yield {name: ssh for name, ssh in told.items() if ssh}, wanted.sudo


def export_of(stack: str, project: Path) -> dict[str, Any]:
    """Return a stack's state with its secrets, which stay in this process."""
    done = subprocess.run(
        ["pulumi", "--non-interactive", "stack", "export", "--show-secrets", "--stack", stack],
        cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise FailedError(f"pulumi stack export: {done.stderr.strip()}")
    state: dict[str, Any] = json.loads(done.stdout)
    return state


def _command(ssh: Ssh, folder: Path, name: str) -> tuple[str, ...]:
    key, known = folder / f"{name}.key", folder / f"{name}.known"
    key.touch(mode=0o600)
    key.write_text(ssh.private_key.rstrip("\n") + "\n")
    if not ssh.host_keys:
        raise FailedError(f"{name}: the state knows no key of this host: was `pulumi up` run?")
    known.write_text("".join(f"{name} {pinned}\n" for pinned in ssh.host_keys))
    options = {
        "BatchMode": "yes",
        "ConnectTimeout": str(int(ssh.connect_timeout)),
        "GlobalKnownHostsFile": "none",
        "HostKeyAlias": name,
        "IdentitiesOnly": "yes",
        "LogLevel": "ERROR",
        "ServerAliveInterval": "5",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": str(known),
    }
    if ssh.bastion:
        through = (*_command(ssh.bastion, folder, f"{name}-bastion"), "-W", "%h:%p")
        options["ProxyCommand"] = shlex.join(through)
    words = [f"-o{key}={value}" for key, value in options.items()]
    who = f"{ssh.user}@{ssh.address}"
    return ("ssh", "-F", "none", "-i", str(key), "-p", str(ssh.port), *words, who)


def _opened(value: Any) -> Any:  # noqa: ANN401 - it is JSON
    """Return plain data without the state's marks of secrets."""
    if isinstance(value, list):
        return [_opened(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _SECRET in value:
        return _opened(json.loads(value["plaintext"]))
    return {key: _opened(item) for key, item in value.items()}
