"""A session at a terminal, from a new group to a host that leaves: part of ``make evidence``.

Three machines with file systems of their own, reached over SSH, and the real engine.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.pulumi_pyinfra.engine.hosts import over_ssh
from tests.pulumi_pyinfra.engine.project import Project
from tests.pulumi_pyinfra.machine import Machine, machine

NAMES = ("node1", "node2", "node3")
# Said once at the head of the session; the lines of what waits are only there to be overwritten.
LEFT_OUT = ("STAND-IN", "@ previewing", "@ updating", "@ refreshing", "pulumi:pulumi:Stack")
STRATUM = "local stratum {{ wanted.stratum }}"


class Session:
    """What was typed and what was answered."""

    def __init__(self, folder: Path, machines: dict[str, Machine]) -> None:
        self._machines = machines
        self.project = Project(folder / "project")
        self.lines: list[str] = []
        self.told = {"servers": ["192.0.2.123"]}

    def say(self, text: str) -> None:
        self.lines += ["", f"# {text}"]

    def pulumi(self, *arguments: str) -> None:
        self.lines += ["", f"$ pulumi {shlex.join(arguments)}"]
        more = ["--skip-preview"] if "--yes" in arguments else []
        done = self.project.pulumi(*arguments, *more, check=False)
        said = f"{done.stdout}{done.stderr}".splitlines()
        said = [line for line in said if not any(word in line for word in LEFT_OUT)]
        # Nothing but a notice stood under some headings.
        self.lines += [
            line
            for line, following in zip(said, [*said[1:], ""], strict=True)
            if line.strip() and not (line == "Diagnostics:" and not following.strip())
        ]
        if done.returncode:
            self.lines.append(f"(exit code {done.returncode})")

    def ssh(self, name: str, command: str) -> None:
        self.lines += ["", f"$ ssh {name} {shlex.quote(command)}"]
        server = self._machines[name].server
        options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"]
        done = subprocess.run(
            [
                *("ssh", "-F", "none", "-i", str(server.folder / "user"), "-p", str(server.port)),
                *(part for option in options for part in ("-o", option)),
                f"{server.user}@{server.address}",
                command,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        self.lines += f"{done.stdout}{done.stderr}".splitlines()

    def write(self, *names: str) -> None:
        hosts = {name: {"ssh": over_ssh(self._machines[name].server)} for name in names}
        self.project.want(
            hosts,
            deploy="deploys.clock:clock",
            arguments=self.told,
            leave="deploys.clock:leave",
            rollout={"probe": "deploys.clock:answers", "last_if": "deploys.clock:leads"},
        )

    def logins(self) -> int:
        return sum(one.server.sessions for one in self._machines.values())


@contextmanager
def _session() -> Iterator[Session]:
    with TemporaryDirectory() as name, ExitStack() as running:
        folder = Path(name)
        machines = {node: running.enter_context(machine(folder / node)) for node in NAMES}
        yield Session(folder, machines)


def session() -> str:
    """Return the whole session as text."""
    with _session() as now:
        now.lines.append(
            "# Three machines (sshd with a file system of its own each) and the real engine."
            "\n# The program's language host is a stand-in; its notices are left out."
        )
        now.say("A new group. node1 leads: it comes last.")
        now.ssh("node1", "touch /run/clock.leads")
        now.write(*NAMES)
        now.pulumi("preview", "--diff")
        now.pulumi("up", "--yes")
        _no_change(now)
        _an_edit(now)
        _drift(now)
        _a_failure(now)
        _a_leave(now)
    return "\n".join(line.rstrip() for line in now.lines)


def _no_change(now: Session) -> None:
    before = now.logins()
    now.say("Nothing changed: no connection is opened.")
    now.pulumi("up", "--yes")
    now.lines.append(f"# SSH logins on all hosts before: {before}, after: {now.logins()}")


def _an_edit(now: Session) -> None:
    now.say("A template is edited.")
    now.lines += [
        "",
        "$ sed -i 's/makestep 1.0 3/makestep 0.5 -1/' deploys/templates/chrony.conf.j2",
    ]
    template = now.project.folder / "deploys" / "templates" / "chrony.conf.j2"
    template.write_text(template.read_text().replace("makestep 1.0 3", "makestep 0.5 -1"))
    now.pulumi("preview", "--diff")
    now.pulumi("up", "--yes")


def _drift(now: Session) -> None:
    now.say("Somebody edits a file on node2 by hand.")
    now.ssh("node2", "echo 'server 198.51.100.66' >> /etc/clock/chrony.conf")
    now.pulumi("refresh", "--yes", "--diff", "--expect-no-changes", "--run-program")
    now.pulumi("stack", "output", "drift")
    now.say("The next update repairs it, on this host alone.")
    now.pulumi("up", "--yes")
    now.ssh("node2", "cat /etc/clock/chrony.conf")


def _a_failure(now: Session) -> None:
    now.say("A new setting; the disk of node3, in the second batch, is full.")
    now.ssh("node3", "rm /etc/clock/chrony.conf && ln -s /dev/full /etc/clock/chrony.conf")
    now.told["stratum"] = 12
    now.write(*NAMES)
    now.pulumi("up", "--yes")
    now.say("It is mended, and the next update goes on there: node2 is not touched again.")
    now.ssh("node3", "rm /etc/clock/chrony.conf")
    now.pulumi("up", "--yes")


def _a_leave(now: Session) -> None:
    now.say("node1 is taken out of the group. While it leads it may not leave.")
    now.write("node2", "node3")
    now.pulumi("preview")
    now.pulumi("up", "--yes")
    now.ssh("node1", "rm /run/clock.leads")
    now.pulumi("up", "--yes")
    now.ssh("node1", "ls -A /etc/clock")
