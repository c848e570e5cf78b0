"""Opens a copy of the cluster as of a moment, beside the server: ``restored MOMENT``.

It stays until the unit that runs this is stopped; nothing of the cluster is touched.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from . import settings
from .machine import holding
from .scratch import Scratch

FOLDER = Path("/var/lib/postgresql/restored")


def main() -> None:
    """Restore, and leave the server running."""
    cluster, moment = settings.read()["cluster"], sys.argv[1]
    scratch = Scratch(cluster=cluster, folder=FOLDER)
    try:
        where = holding(cluster, datetime.fromisoformat(moment).timestamp())
        if where is None:
            sys.exit(f"restored: no repository holds a backup of before {moment}")
        scratch.restore("--type=time", f"--target={moment}", settings=where)
        scratch.start()
    except RuntimeError as error:
        scratch.remove()
        sys.exit(f"restored: {error}")


if __name__ == "__main__":
    main()
