"""Write ``docs/evidence`` anew: ``make evidence``. Each file is what a command printed."""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from lab.on_records import running
from lab.up import events_of
from ops.timeline import bars, drawing
from tests import breaks
from tests.components.stack_cases import HERE, patched, read_case
from tests.lab.clouds import session as through_the_edge
from tests.pulumi_pyinfra.session import session

ROOT = Path(__file__).resolve().parent.parent
EVIDENCE = ROOT / "docs" / "evidence"
RUNS = 5
LAB = (sys.executable, "-m", "lab")
NAMES = ("ailakshya.in", "employee.ailakshya.in")


def printed(*command: str) -> str:
    """Return what a command printed, with its prompt and without this machine's folders."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return f"$ {' '.join(command).replace(sys.executable, 'python')}\n{anonymous(done.stdout)}"


def anonymous(text: str) -> str:
    """Return ``text`` without colours, and with the machine's folders given general names."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    for folder, name in ((str(ROOT), "<checkout>"), (str(Path.home()), "~")):
        text = text.replace(folder, name)
    return re.sub(r"(?m)[ \t]+$", "", re.sub(r"/tmp/[\w./-]+", "<temporary>", text))  # noqa: S108


def ten_faults() -> str:
    """Return what the real engine says to a stack file with ten faults."""
    case = read_case(HERE / "ten_faults.yaml")
    with TemporaryDirectory() as home, running("testing", Path(home)) as lab:
        for name, patch in case.patch.items():
            lab.replace(name, patched(lab.section(name), patch))
        lab.replace("cloudflare_api_token", "a-token-in-plain-text")
        done = lab.pulumi("preview", check=False)
    return f"$ pulumi preview   # with {HERE.name}/ten_faults.yaml laid over testing\n" + anonymous(
        done.stdout + done.stderr
    )


def from_nothing() -> str:
    """Return what the lab says when there is none yet."""
    subprocess.run([*LAB, "down"], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return printed(*LAB, "up")


def timeline() -> str:
    """Return what took how long in the lab's last run, drawn."""
    return drawing(bars(events_of("testing").read_text().splitlines()))


def way_in() -> str:
    """Return what the edge answers to strangers and to staff, once the lab is up."""
    (customer, employee), staff = NAMES, "anna@gurukripacoldstore.in"
    pods = (
        "ssh",
        "k3s-node1",
        "sudo",
        "k3s",
        "kubectl",
        "get",
        "pods",
        "-n",
        "tunnel",
        "-o",
        "wide",
    )
    asked = (
        pods,
        ("curl", f"https://{customer}/"),
        ("curl", f"https://{customer}/infrastructure"),
        ("curl", f"https://{employee}/"),
        ("curl", f"https://{employee}/", "--as", "me@elsewhere.org"),
        ("curl", f"https://{employee}/", "--as", staff),
        ("curl", f"https://{employee}/infrastructure", "--as", staff),
    )
    return "\n".join(printed(*LAB, *words) for words in asked)


def nodes_and_pods() -> str:
    """Return what runs where in the cluster, once the lab is up."""
    kubectl = (*LAB, "ssh", "k3s-node1", "sudo", "k3s", "kubectl", "get")
    return "\n".join(
        printed(*kubectl, *w) for w in (("nodes", "-o", "wide"), ("pods", "-A", "-o", "wide"))
    )


def measured() -> str:
    """Return how long the everyday commands take here."""
    commands: dict[str, Sequence[str]] = {
        "make tools (warm)": ("make", "tools"),
        "make check": ("make", "check"),
        "make preview: testing": ("make", "preview"),
        "make preview: production": ("make", "preview", "stack=production"),
        "make up, nothing to do": ("make", "up"),
    }
    lines = [
        "# Measured\n",
        f"Made by `make evidence`, {RUNS} runs each, {os.cpu_count()} cores, "
        f"{platform.system()}, Python {platform.python_version()}; seconds.\n",
        "| command | least | median | most |",
        "| --- | --- | --- | --- |",
    ]
    for name, command in commands.items():
        taken = sorted(_seconds(command) for _ in range(RUNS))
        lines.append(
            f"| {name} | {taken[0]:.1f} | {statistics.median(taken):.1f} | {taken[-1]:.1f} |"
        )
    lines.append(
        f"\nMost memory that `make preview` and all it starts held at once: {_peak()} MiB."
    )
    cold = (f"`make-{what}-from-an-empty-clone.txt`" for what in ("test", "up"))
    lines.append(f"\nCold figures: {', '.join(cold)}.")
    return "\n".join(lines)


def _peak() -> int:
    """Return the most memory that ``make preview`` and its descendants held, sampled."""
    running = subprocess.Popen(("make", "preview"), cwd=ROOT, stdout=subprocess.DEVNULL)
    most = 0
    while running.poll() is None:
        most = max(most, _resident(running.pid))
        time.sleep(0.05)  # the rate of the samples
    return most // 1024


def _resident(root: int) -> int:
    """Return what a process and its descendants hold, in KiB; shared pages count for each."""
    parents, sizes = {}, {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        except OSError:  # it has just ended
            continue
        parents[int(status.parent.name)] = int(fields["PPid"])
        sizes[int(status.parent.name)] = int(fields.get("VmRSS", "0 kB").split()[0])
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(sizes.get(pid, 0) for pid in family)


def _seconds(command: Sequence[str]) -> float:
    started = time.monotonic()
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - started


def crashes() -> str:
    """Return what was done to first runs, each of which the next runs finished."""
    with TemporaryDirectory() as folder:
        table = Path(folder) / "table"
        words = ("-m", "pytest", "-q", "-m", "crashes", "-n", "2", "--dist", "load")
        subprocess.run(
            (sys.executable, *words),
            cwd=ROOT,
            env={**os.environ, "CRASH_TABLE": str(table)},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        rows = sorted(table.read_text().splitlines(), key=_numbers)
    return "\n".join(
        (
            "# First runs that went wrong\n",
            "Made by `make evidence`: each row is a first `up` of testing, on the real engine",
            "and provider with VMs that are records. After it came the repair, a second `up`, and",
            "a third that had nothing to do; no machine, disk, file, rule or pending operation",
            "was left over.\n",
            f"{len(rows)} runs, all finished by the next.\n",
            "| what went wrong | what the next run found first |",
            "| --- | --- |",
            *rows,
        )
    )


def _numbers(row: str) -> tuple[str, list[int]]:
    return row.split()[1], [int(number) for number in re.findall(r"\d+", row)]


PIECES: dict[str, Callable[[], str]] = {
    "tools.txt": lambda: printed("make", "tools"),
    "preview-testing.txt": lambda: printed(*LAB, "preview"),
    "preview-production.txt": lambda: printed(*LAB, "--stack", "production", "preview"),
    "lab-up.txt": from_nothing,
    "lab-up.svg": timeline,
    "lab-up-again.txt": lambda: printed(*LAB, "up"),
    "lab-status.txt": lambda: printed(*LAB, "status"),
    "way-in.txt": way_in,
    "hardening.txt": lambda: printed(*LAB, "ops", "cluster", "hardening"),
    "nodes-and-pods.txt": nodes_and_pods,
    "lab-down.txt": lambda: printed(*LAB, "down"),
    "ten-faults.txt": ten_faults,
    "inside-hosts.txt": lambda: anonymous(session()),
    "through-the-edge.txt": through_the_edge.session,
    "crashes.md": crashes,
    "broken-on-purpose.md": lambda: "\n".join(breaks.table()),
    "measured.md": measured,
}


def main() -> None:
    """Write the pieces that are named, or all."""
    for name in sys.argv[1:] or PIECES:
        (EVIDENCE / name).write_text(PIECES[name]().rstrip() + "\n")
        print(f"docs/evidence/{name}")  # noqa: T201 - it says what it does


if __name__ == "__main__":
    main()
