"""Three hosts of a group, each with an SSH server of its own, and an update of them under way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.pulumi_pyinfra.connector.hosts import QUICK
from tests.pulumi_pyinfra.sshd import Sshd, start

from .hosts import over_ssh
from .project import Project

NAMES = ("a", "b", "c")
STEPS = [str(number) for number in range(1, 11)]
# What stands in the command line of each process that belongs to an update.
ROLES = {
    "worker": "pulumi_pyinfra.worker",
    "provider": "/pulumi_pyinfra 127.0.0.1:",
    "engine": "pulumi --non-interactive",
    "language host": "pulumi-language-python 127.0.0.1:",
    "program": "pulumi-language-python-exec",
}


@contextmanager
def three_servers(folder: Path) -> Iterator[dict[str, Sshd]]:
    """Run an SSH server for each host."""
    servers: dict[str, Sshd] = {}
    try:
        for name in NAMES:
            servers[name] = start(folder / name, *QUICK)
        yield servers
    finally:
        for server in servers.values():
            server.stop()


class ThreeHosts:
    """The hosts' folders, as ``ten_steps.py`` reads and writes them."""

    def __init__(self, folder: Path, servers: dict[str, Sshd]) -> None:
        self.folder, self.servers = folder, servers
        for name in NAMES:
            (folder / name).mkdir(parents=True)

    def hold(self, host: str, point: str) -> None:
        (self.folder / host / "hold").write_text(point)

    def held(self, host: str) -> bool:
        return (self.folder / host / "held").exists()

    def let_go(self) -> None:
        for hold in self.folder.glob("*/hold"):
            hold.unlink()
        until(lambda: not any(map(self.held, NAMES)), "a command is still held")

    def lines(self, host: str, file: str) -> list[str]:
        path = self.folder / host / file
        return path.read_text().split() if path.exists() else []

    def sessions(self, host: str) -> list[int]:
        """The processes that serve the connections of a host."""
        server = self.servers[host].process.pid
        return [int(n) for n in Path(f"/proc/{server}/task/{server}/children").read_text().split()]

    def assert_done_once(self, *, tries: dict[str, list[str]] | None = None) -> None:
        """Every act was done, and once; a try more for each kill is all that is left of them."""
        for host in NAMES:
            folder = self.folder / host
            assert self.lines(host, "count") == STEPS
            assert self.lines(host, "tries") == sorted(STEPS + (tries or {}).get(host, []), key=int)
            found = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
            written = {f"{kind}/{n}" for kind in ("files", "done") for n in STEPS}
            assert found == written | {"count", "tries"}
            assert [(folder / "files" / n).read_text() for n in STEPS] == [f"{n}\n" for n in STEPS]


class Group:
    """The three hosts as one resource of a program."""

    def __init__(self, folder: Path, servers: dict[str, Sshd]) -> None:
        self.hosts = ThreeHosts(folder / "hosts", servers)
        self.temporary = folder / "controller"
        self.temporary.mkdir()
        self.project = Project(folder / "project")

    def want(self, *, steps: int = len(STEPS), **rollout: Any) -> None:
        hosts = {
            name: {
                "ssh": over_ssh(server),
                "arguments": {"folder": str(self.hosts.folder / name), "count": steps},
            }
            for name, server in self.hosts.servers.items()
        }
        self.project.want(hosts, deploy="deploys.ten_steps:ten_steps", rollout=rollout)

    def start(self) -> Update:
        return Update(self)

    def up(self) -> str:
        """Run an update to its good end and return what it said."""
        update = self.start()
        assert update.wait() == 0, update.said
        return update.said

    def held_at(self, **points: str) -> Update:
        """Start an update and return once every named host is held where it is to be."""
        for host, point in points.items():
            self.hosts.hold(host, point)
        update = self.start()
        until(
            lambda: all(map(self.hosts.held, points)) or update.process.poll() is not None,
            "nothing is held",
        )
        assert update.process.poll() is None, update.said
        return update

    def applied(self) -> set[str]:
        """The hosts that are done, as the state says."""
        exported = self.project.pulumi("stack", "export", "--show-secrets").stdout
        resources = json.loads(exported)["deployment"]["resources"]
        found = [r["outputs"] for r in resources if r["type"] == "pyinfra:index:Deploy"]
        # A secret is a JSON text within the state.
        return set(json.loads(found[0]["applied"]["plaintext"])) if found else set()

    def processes(self) -> dict[int, str]:
        """Every process of every update so far that still lives, with its role."""
        ours = f"TMPDIR={self.temporary}".encode()
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if ours not in (process / "environ").read_bytes().split(b"\0"):
                    continue
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # it has ended
            if command:  # else it only waits for its parent to notice that it ended
                roles = (role for role, word in ROLES.items() if word in command)
                found[int(process.name)] = next(roles, command)
        return found

    def roles(self) -> list[str]:
        return sorted(self.processes().values())

    def kill(self, role: str) -> None:
        (victim,) = [n for n, its_role in self.processes().items() if its_role == role]
        os.kill(victim, signal.SIGKILL)

    def kill_all(self) -> None:
        """End what a test that failed has left."""
        for process in self.processes():
            os.kill(process, signal.SIGKILL)

    def assert_nothing_left(self) -> None:
        until(lambda: not self.processes(), f"still there: {self.roles()}")
        until(lambda: not any(map(self.hosts.sessions, NAMES)), "a connection is still there")
        assert list(self.temporary.rglob("*")) == []


class Update:
    """A ``pulumi up`` under way, in a process group of its own as at a terminal."""

    def __init__(self, group: Group) -> None:
        self._log = group.project.folder / f"said-{time.monotonic_ns()}"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                ["pulumi", "--non-interactive", "up", "--yes", "--skip-preview"],
                cwd=group.project.folder,
                env={**os.environ, **group.project.variables, "TMPDIR": str(group.temporary)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        """Signal the whole process group, as a terminal does."""
        os.killpg(self.process.pid, number)

    def wait_for(self, words: str) -> None:
        until(lambda: words in self.said or self.process.poll() is not None, f"not said: {words}")
        assert words in self.said, self.said

    def wait(self) -> int:
        return self.process.wait(60)


def until(condition: Callable[[], object], complaint: str) -> None:
    """Wait for what must come true."""
    deadline = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.02)
