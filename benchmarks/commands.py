"""The milliseconds that one command takes: ``python -m benchmarks.commands WAY MANY``.

The ways: ``framed`` (our connector), ``pyinfra`` (its own), ``openssh`` (a shared connection). The
server is a line of JSON on standard input.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

# pyinfra must be imported after the patch.
import json  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

from pyinfra.api.command import StringCommand  # noqa: E402
from pyinfra.api.config import Config  # noqa: E402
from pyinfra.api.connect import connect_all, disconnect_all  # noqa: E402
from pyinfra.api.inventory import Inventory  # noqa: E402
from pyinfra.api.state import State  # noqa: E402
from pyinfra.connectors.ssh import SSHConnector  # noqa: E402

from pulumi_pyinfra.connector import FramedSshConnector, SshTarget  # noqa: E402


def main() -> None:
    """Run one command after the other, and print the mean."""
    way, many = sys.argv[1], int(sys.argv[2])
    server = json.loads(sys.stdin.readline())
    mean = _by_openssh(server, many) if way == "openssh" else _by_pyinfra(way, server, many)
    sys.stdout.write(f"{mean * 1000:.3f}\n")


def _by_pyinfra(way: str, server: dict[str, Any], many: int) -> float:
    connector, data = _framed(server) if way == "framed" else _pyinfras(server)
    inventory = Inventory(([("host", data)], {}))
    (host,) = inventory
    host.connector_cls = connector
    state = State(inventory, Config())
    connect_all(state)
    mean = _mean(lambda: host.run_shell_command(StringCommand("true")), many)
    disconnect_all(state)
    return mean


def _by_openssh(server: dict[str, Any], many: int) -> float:
    where = ["-p", str(server["port"]), f"{server['user']}@{server['address']}"]
    shared = ["ssh", "-F", "none", "-S", server["socket"], *where]
    options = ["-i", server["key"], "-o", f"UserKnownHostsFile={server['known_hosts']}"]
    subprocess.run([*shared, *options, "-MNf"], check=True)
    try:
        return _mean(lambda: subprocess.run([*shared, "true"], check=True), many)
    finally:
        subprocess.run([*shared, "-O", "exit"], check=True)


def _mean(run: Callable[[], object], many: int) -> float:
    began = time.perf_counter()
    for _ in range(many):
        run()
    return (time.perf_counter() - began) / many


def _framed(server: dict[str, Any]) -> tuple[type, dict[str, Any]]:
    target = SshTarget(
        address=server["address"],
        port=server["port"],
        user=server["user"],
        private_key=server["private_key"],
        host_keys=(server["host_key"],),
    )
    return FramedSshConnector, {"ssh_target": target}


def _pyinfras(server: dict[str, Any]) -> tuple[type, dict[str, Any]]:
    return SSHConnector, {
        "ssh_hostname": server["address"],
        "ssh_port": server["port"],
        "ssh_user": server["user"],
        "ssh_key": server["key"],
        "ssh_known_hosts_file": server["known_hosts"],
        "ssh_strict_host_key_checking": "yes",
        "ssh_allow_agent": False,
        "ssh_look_for_keys": False,
    }


if __name__ == "__main__":
    main()
