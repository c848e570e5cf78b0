"""What plays a host in these tests: a folder of this machine, or an SSH server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.pulumi_pyinfra.sshd import Sshd


class Hosts:
    """Folders that play hosts, and what stands in them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *names: str, **own: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Return hosts as the program is told of them, with what single ones are told beside."""
        return {
            name: {"arguments": {"folder": str(self.folder / name)} | own.get(name, {})}
            for name in names
        }

    def read(self, name: str, file: str = "page.txt") -> str | None:
        path = self.folder / name / file
        return path.read_text() if path.exists() else None

    def mark(self, name: str, file: str) -> Path:
        """Put an empty file on a host."""
        path = self.folder / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return path

    def written(self, name: str) -> int:
        """Return how often the page was written on a host."""
        return len((self.read(name, "count") or "").split())

    @property
    def order(self) -> str:
        """The names of the hosts in the order in which they were changed."""
        path = self.folder / "order"
        return "".join(path.read_text().split()) if path.exists() else ""


def over_ssh(server: Sshd, **changes: Any) -> dict[str, Any]:
    """Return how a host is reached, with the right keys unless they are changed."""
    told = {
        "address": server.address,
        "port": server.port,
        "user": server.user,
        "private_key": server.private_key,
        "host_keys": [server.host_key],
    }
    return {name: value for name, value in (told | changes).items() if value is not None}
