"""Opens a copy of the cluster as of a moment, beside the server: ``restored MOMENT``.

It stays until the unit that runs this is stopped; nothing of the cluster is touched.
"""

from __future__ import annotations

import sys
from pathlib import Path

from . import settings
from .scratch import Scratch

FOLDER = Path("/var/lib/postgresql/restored")


def main() -> None:
    """Restore, and leave the server running."""
    scratch = Scratch(cluster=settings.read()["cluster"], folder=FOLDER)
    try:
        scratch.restore("--type=time", f"--target={sys.argv[1]}")
        scratch.start()
    except RuntimeError as error:
        scratch.remove()
        sys.exit(f"restored: {error}")


if __name__ == "__main__":
    main()
