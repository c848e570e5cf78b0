"""From machines that answer to a cluster of three: ours, and by hand as K3s' guide has it.

    python -m benchmarks.cluster [--rounds 3]

Root is needed, and `make kubernetes`. Both have fresh machines of the lab in each round, one after
the other, in turns. By hand is a script over SSH with the least that makes the same three servers:
it hardens nothing, opens no firewall, pins no checksum, and the API has no address of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from lab.kubernetes import Distribution
from lab.machines import BaseImage
from tests.lab.kubernetes.deployed import ADDRESS, SERVERS, TOKEN, Deployed
from tests.lab.machines.conftest import a_lab

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks-cluster.md"
IMAGES = "/var/lib/rancher/k3s/agent/images"
PATIENCE = 300


def ours(three: Deployed) -> None:
    """Change all machines at once, as a first `up` does."""
    three.apply()
    three.well(*SERVERS)


def by_hand(three: Deployed) -> None:
    """Copy K3s to each machine, start the first server, then the other two at once."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: _copy(three, name), SERVERS))
        _start(three, SERVERS[0], {"cluster-init": True})
        joined = {"server": f"https://{ADDRESS[SERVERS[0]]}:6443"}
        list(pool.map(lambda name: _start(three, name, joined), SERVERS[1:]))


def _copy(three: Deployed, name: str) -> None:
    release = three.release
    three.machine(name).ssh(f"mkdir -p /etc/rancher/k3s {IMAGES}")
    for file, target in (
        (release.program, "/usr/local/bin/k3s"),
        (release.images, f"{IMAGES}/{release.images.name}"),
        (release.folder / "install.sh", "/opt/install.sh"),
    ):
        with file.open("rb") as content:
            words = three.machine(name).ssh_command(f"cat >{target} && chmod 755 {target}")
            subprocess.run(words, stdin=content, check=True)


def _start(three: Deployed, name: str, told: Mapping[str, object]) -> None:
    disabled = ["traefik", "servicelb", "metrics-server", "local-storage"]
    settings = json.dumps({"token": TOKEN, "disable": disabled, **told})
    three.machine(name).ssh(
        f"cat >/etc/rancher/k3s/config.yaml <<'END'\n{settings}\nEND\n"
        "INSTALL_K3S_SKIP_DOWNLOAD=true INSTALL_K3S_EXEC=server sh /opt/install.sh"
    )


WAYS: dict[str, Callable[[Deployed], None]] = {
    "our deploy, all machines at once": ours,
    "by hand, a script over SSH": by_hand,
}


def measured(way: Callable[[Deployed], None], release: Distribution) -> float:
    """Return the seconds until all three are ready, on fresh machines."""
    with a_lab(BaseImage().obtain()) as lab:
        three = Deployed(lab, release)
        three.start(*SERVERS)
        began = time.monotonic()
        way(three)
        while three.ready() != set(SERVERS):
            if time.monotonic() - began > PATIENCE:
                raise TimeoutError(f"not ready after {PATIENCE} s: {three.ready()}")
            time.sleep(0.5)  # it is asked twice a second
        return time.monotonic() - began


def page(took: Mapping[str, list[float]], version: str) -> str:
    """Return what was measured."""
    ratio = statistics.median(
        theirs / mine for mine, theirs in zip(*(took[name] for name in WAYS), strict=True)
    )
    rows = [
        f"| {name} | {statistics.median(seconds):.1f} | {min(seconds):.1f} | {max(seconds):.1f} |"
        for name, seconds in took.items()
    ]
    return "\n".join(
        (
            "# Three machines to a ready cluster\n",
            f"Made by `python -m benchmarks.cluster`, {len(took[next(iter(took))])} rounds in"
            f" turns, {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores for all machines,"
            f" Linux, Python {platform.python_version()}; {version}. Seconds from machines that"
            " answer over SSH until all three nodes are ready.\n",
            "| way | median | least | most |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
            f"By hand takes {ratio:.2f} times as long (median of the rounds), and leaves out what"
            " ours does besides: a firewall, hardening, checksums, an address of the API's own,"
            " the proof that no other cluster lives.\n",
        )
    )


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    release = Distribution()
    release.obtain()
    took: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(parser.parse_args().rounds):
        for name, way in WAYS.items():
            took[name].append(measured(way, release))
            print(f"{took[name][-1]:7.1f} s  {name}", flush=True)  # noqa: T201
    PAGE.write_text(page(took, release.title))


if __name__ == "__main__":
    main()
