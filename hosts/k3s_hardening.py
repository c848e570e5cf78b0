"""What K3s' hardening guide wants besides K3s' own settings, and what looks whether all is so.

The controls themselves are in ``on_machine/hardening``; ``k3s-checks`` is the command.
"""

from __future__ import annotations

from pathlib import Path

from pyinfra.operations import files

from .deploying import deploy
from .k3s_configuration import no_tokens
from .k3s_node import K3sNode
from .k3s_places import SERVER
from .rendering import as_json, program, rendered

INSTALLED = "/usr/local/lib/k3s"
_PROGRAMS = "on_machine/hardening"


@deploy("K3s hardening")
def hardening(wanted: K3sNode) -> None:
    """Install the checks; on a server have K3s keep tokens from whom nobody gave one."""
    for path in (INSTALLED, f"{INSTALLED}/hardening"):
        files.directory(name=f"Make {path}", path=path, mode="755")
    for file in sorted((Path(__file__).parent / _PROGRAMS).glob("*.py")):
        files.put(
            name=f"Write the program hardening/{file.name}",
            src=program(f"{_PROGRAMS}/{file.name}"),
            dest=f"{INSTALLED}/hardening/{file.name}",
            mode="644",
        )
    files.put(
        name="Write the checks of what K3s runs with",
        src=rendered("k3s-checks.j2", installed=INSTALLED),
        dest="/usr/local/sbin/k3s-checks",
        mode="755",
    )
    if wanted.is_server:
        _accounts()


def _accounts() -> None:
    """Write what K3s applies by itself, now and whenever it changes."""
    for path in (SERVER, f"{SERVER}/manifests"):
        files.directory(name=f"Have {path}", path=path, mode="700")
    files.put(
        name="Write which accounts have no token",
        src=as_json({"apiVersion": "v1", "kind": "List", "items": no_tokens()}),
        dest=f"{SERVER}/manifests/no-tokens.json",
        mode="600",
    )
