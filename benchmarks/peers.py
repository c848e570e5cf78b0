"""What we are compared with, in a virtualenv of its own below the user's cache folder."""

from __future__ import annotations

import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from toolchain.cache import Cache

_WANTED = Path(__file__).parent / "peers.txt"


@dataclass(frozen=True, slots=True)
class Peers:
    """The virtualenv with the peers."""

    folder: Path

    @classmethod
    def installed(cls) -> Peers:
        """Return the peers, installed by pip if they are not there in the wanted versions."""
        folder = Cache.of_this_user().root / "peers"
        stamp = folder / "peers.txt"
        wanted = _WANTED.read_text()
        if not stamp.exists() or stamp.read_text() != wanted:
            sys.stderr.write("installing the peers ...\n")
            venv.create(folder, with_pip=True, clear=True)
            pip = [str(folder / "bin" / "pip"), "install", "--quiet", "-r", str(_WANTED)]
            subprocess.run(pip, check=True)
            stamp.write_text(wanted)
        return cls(folder)

    def program(self, name: str) -> str:
        """Return the path of a command."""
        return str(self.folder / "bin" / name)

    def mitogen_strategies(self) -> Path:
        """Return the folder that Ansible finds Mitogen's strategies in."""
        (found,) = self.folder.glob("lib/*/site-packages/ansible_mitogen/plugins/strategy")
        return found

    @staticmethod
    def versions() -> list[str]:
        """Return what is compared with, as pinned."""
        return _WANTED.read_text().split()
