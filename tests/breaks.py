"""Break the code on purpose, and see that a test notices: ``python -m tests.breaks``."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Break:
    """A line that somebody might get wrong one day."""

    what: str
    file: str
    right: str
    wrong: str
    tests: str
    """Where the test is that must notice."""


BREAKS = (
    Break(
        what="a machine is made outside its component",
        file="components/machines/proxmox_machine.py",
        right="                parent=self,\n                protect=protected or None,",
        wrong="                protect=protected or None,",
        tests="tests/components/machines/test_proxmox_machines.py",
    ),
    Break(
        what="data and secrets of production lose their protection",
        file="__main__.py",
        right="protect=wanted.environment.protect_data or None",
        wrong="protect=None",
        tests="tests/components/machines/test_whole_program.py",
    ),
    Break(
        what="a misspelt key is passed over",
        file="components/sections.py",
        right='extra="forbid"',
        wrong='extra="ignore"',
        tests="tests/components/test_rules.py",
    ),
    Break(
        what="a new image may replace the machines",
        file="components/machines/replacements_proxmox.py",
        right='inputs=("disks[0].importFrom",),',
        wrong='inputs=("disks[9].importFrom",),',
        tests="tests/components/machines/test_replacements.py",
    ),
    Break(
        what="the memory of the other stack on the host is not counted",
        file="components/rules/capacity.py",
        right="for other in same_host",
        wrong="for other in ()",
        tests="tests/components/test_rules.py",
    ),
    Break(
        what="the guard sends its token before it knows the host",
        file="components/https.py",
        right="            if presented != self._fingerprint:",
        wrong="            if not presented:",
        tests="tests/components/test_guard.py",
    ),
    Break(
        what="the kubeconfig is no secret",
        file="components/cluster_authority.py",
        right="self.kubeconfig = pulumi.Output.secret(",
        wrong="self.kubeconfig = pulumi.Output.unsecret(",
        tests="tests/components/test_cluster_authority.py",
    ),
    Break(
        what="the employee portal has a name before it has a guard",
        file="components/cloudflare/names.py",
        right="depends_on=list(args.after), ",
        wrong="",
        tests="tests/components/test_way_in.py",
    ),
    Break(
        what="two connectors are on one node",
        file="components/connector.py",
        right="requiredDuringScheduling",
        wrong="preferredDuringScheduling",
        tests="tests/components/test_connector.py",
    ),
)


def caught(broken: Break) -> tuple[bool, str]:
    """Return whether a copy of the project with ``broken`` in it fails, and what failed first."""
    with TemporaryDirectory(prefix="coldstorage-break-") as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".venv", ".git", ".*_cache"))
        path = copy / broken.file
        text = path.read_text()
        if text.count(broken.right) != 1:
            raise SystemExit(
                f"{broken.file}: {broken.right!r} is not there once: mend tests/breaks"
            )
        path.write_text(text.replace(broken.right, broken.wrong))
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", broken.tests],
            cwd=copy,
            text=True,
            capture_output=True,
            check=False,
        )
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    return done.returncode == 1 and bool(failed), failed[0].split(" - ")[0] if failed else "nothing"


def table() -> Iterator[str]:
    """Yield a table of all breaks and what noticed each."""
    yield "# Broken on purpose, and what noticed\n"
    yield "Made by `make evidence`; each break is applied to a copy of the project.\n"
    yield "| break | in | noticed by |"
    yield "| --- | --- | --- |"
    for broken in BREAKS:
        noticed, by = caught(broken)
        if not noticed:
            raise SystemExit(f"nobody noticed: {broken.what}")
        yield f"| {broken.what} | `{broken.file}` | `{by.removeprefix('FAILED ')}` |"


if __name__ == "__main__":
    print("\n".join(table()))  # noqa: T201 - that is what it is for
