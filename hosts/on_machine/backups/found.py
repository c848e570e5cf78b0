"""Makes the first data of a cluster, as Patroni's bootstrap: from the backup, if there is one.

Only who founds a cluster runs this, when no machine has any data. Where the store holds backups
they are restored to their end, or to the moment that is wanted; where it holds none, and no moment
is wanted, the cluster begins empty. A store that is away is waited for: nobody knows what is in it.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path

from . import settings
from .machine import fetching, holding, pgbackrest, say
from .scratch import BINARIES, LONGEST

DATA = Path("/var/lib/postgresql/17/main")
LATEST = "latest"
# As in Patroni's own settings, for a cluster that is founded without this.
_NEW = ("--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--data-checksums")


def main() -> None:
    """Fill the data folder."""
    told = settings.read()
    cluster, wish = told["cluster"], told["found_from"]
    try:
        moment = None if wish == LATEST else datetime.fromisoformat(wish).timestamp()
        where = holding(cluster, moment)
        if where:
            restore(cluster, wish, where)
            say(f"{cluster}: restored from the object store, {wish}")
        elif wish == LATEST:
            begin()
            say(f"{cluster}: the object store holds no backup of it, so it begins empty")
        else:
            sys.exit(f"found: the object store holds no backup of {cluster} to restore to {wish}")
    except RuntimeError as error:
        sys.exit(f"found: {error}")


def restore(cluster: str, wish: str, where: str) -> None:
    """Copy the backup; PostgreSQL replays the log when it starts."""
    aim = [] if wish == LATEST else ["--type=time", f"--target={wish}", "--target-action=promote"]
    fetch = f"--recovery-option=restore_command={fetching(cluster, where)}"
    pgbackrest(cluster, *aim, fetch, "restore", seconds=LONGEST, settings=where)


def begin() -> None:
    """Make an empty cluster."""
    command = [str(BINARIES / "initdb"), f"--pgdata={DATA}", "--auth=scram-sha-256",
               "--auth-local=peer", *_NEW]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise RuntimeError(f"initdb: exit {done.returncode}: {done.stderr.strip()}")


if __name__ == "__main__":
    main()
