"""Backups that are proven: the store is tried before it is trusted, the archive is looked after,
every database is dumped each night, and what is in the bucket is restored and judged by the clock.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from pyinfra.api.facts import FactBase
from pyinfra.context import host
from pyinfra.operations import files, server, systemd
from typing_extensions import override

from .checks import identifier, refuse, within
from .deploying import deploy
from .identity import AUTHORITY
from .metrics import LEFT
from .object_store import Store
from .packages import Packages
from .pgbackrest import FOLDER
from .rendering import as_json, program, rendered

PACKAGES = Packages(names=("age", "python3-boto3"))
PLACE = f"{FOLDER}/care.json"
STATE = "/var/lib/database-backups"
NOTHING, LATEST = "nothing", "latest"
COMMAND = "/usr/local/bin/database-proof"
_PROGRAMS = "on_machine/backups"
_INSTALLED = "/usr/local/lib/database"
_JOBS = ("archive", "dumps", "drill")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_RECIPIENT = re.compile(r"(ssh-ed25519 [A-Za-z0-9+/=]+|age1[a-z0-9]+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class ProvenBackups:
    """What a machine must know to prove the backups of its cluster."""

    cluster: str
    name: str
    store: Store
    repository: str
    """Where in the bucket its backups are."""
    api: str
    """Where this machine's Patroni answers: who leads, and whose turn it is."""
    recipient: str | None = field(default=None)
    """Whose key opens the dumps: the public half, of age or OpenSSH; without one none are made."""
    dump_at: str = "03:00"
    drill_every_days: int = 7
    retention_days: int = 30
    incremental_every_hours: int = 6
    found_from: str = NOTHING
    """What a cluster that has no data begins with: ``nothing``; ``latest``, which is nothing too
    where there is no backup; or a moment, such as ``2026-11-20 10:15:00+00:00``."""

    def __post_init__(self) -> None:
        wrong = [] if _TIME.fullmatch(self.dump_at) else ["dump_at: must be HH:MM"]
        if self.recipient is not None and not _RECIPIENT.fullmatch(self.recipient):
            wrong.append("recipient: must be an ssh-ed25519 or age public key, without a comment")
        if self.found_from not in (NOTHING, LATEST) and not _is_moment(self.found_from):
            wrong.append("found_from: must be nothing, latest, or a moment with its time zone")
        refuse(
            [
                *identifier("cluster", self.cluster),
                *within("drill_every_days", self.drill_every_days, 1, 90),
                *within("retention_days", self.retention_days, 1, 3650),
                *wrong,
            ]
        )

    @property
    def founding(self) -> str | None:
        """Return what makes the data of a cluster that has none, if not Patroni itself."""
        return None if self.found_from == NOTHING else f"{COMMAND} found"

    @property
    def told(self) -> dict[str, object]:
        """Return what the programs on the machine read."""
        authority = f"{FOLDER}/store-ca.pem" if self.store.authority else None
        return {
            "cluster": self.cluster,
            "name": self.name,
            "repository": self.repository,
            "store": {**asdict(self.store), "authority": authority},
            "api": self.api,
            "authority": AUTHORITY,
            "recipient": self.recipient,
            "found_from": self.found_from,
            "retention_days": self.retention_days,
            "drill_every_days": self.drill_every_days,
            "backup_hours": 2 * self.incremental_every_hours + 1,
        }


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


class Trusted(FactBase[str]):
    """The digest of the settings with which the store was tried last and did all that is needed."""

    default = str

    @override
    def command(self) -> str:
        return f"cat {STATE}/trusted 2>/dev/null || true"

    @override
    def process(self, output: list[str]) -> str:
        return "".join(output).strip()


def try_the_store(wanted: ProvenBackups) -> None:
    """Have the store refused, with all that it does not do, before anything relies on it.

    One that is away is waited for by the service that makes the repository, not here.
    """
    for path in (_INSTALLED, f"{_INSTALLED}/backups"):
        files.directory(name=f"Make {path}", path=path, mode="755")
    for path in (STATE, LEFT):
        files.directory(
            name=f"Make {path}", path=path, user="postgres", group="postgres", mode="755"
        )
    for file in sorted((Path(__file__).parent / _PROGRAMS).glob("*.py")):
        files.put(
            name=f"Write the program backups/{file.name}",
            src=program(f"{_PROGRAMS}/{file.name}"),
            dest=f"{_INSTALLED}/backups/{file.name}",
            mode="644",
        )
    files.put(
        name="Write the command of the backups",
        src=rendered("database-proof.j2", installed=_INSTALLED),
        dest=COMMAND,
        mode="755",
    )
    files.put(
        name="Write what the backups are told",
        src=as_json(wanted.told),
        dest=PLACE,
        user="root",
        group="postgres",
        mode="640",
    )
    digest = hashlib.sha256(as_json(wanted.told).getvalue().encode()).hexdigest()
    server.shell(
        name="Try the object store",
        commands=["runuser -u postgres -- database-proof preflight || [ $? -eq 75 ]"],
        _timeout=120,
        _if=lambda: host.get_fact(Trusted) != digest,
    )


@deploy("Proven backups")
def proven_backups(wanted: ProvenBackups) -> None:
    """Have markers written, the archive watched, dumps made, and drills held."""
    dumping = wanted.recipient is not None
    units = [
        files.put(
            name=f"Write {unit}",
            src=rendered(f"{template}.j2", wanted=wanted),
            dest=f"/etc/systemd/system/{unit}",
            mode="644",
        )
        for unit, template in (
            ("database-markers.service", "database-markers.service"),
            *(
                (f"database-{job}.{kind}", f"database-{job}.{kind}")
                for job in _JOBS
                for kind in ("service", "timer")
            ),
            ("database-drill-now.service", "database-drill-now.service"),
        )
    ]
    systemd.daemon_reload(
        name="Have systemd read the units of the proof",
        _if=lambda: any(unit.did_change() for unit in units),
    )
    systemd.service(
        name="Keep markers written",
        service="database-markers.service",
        running=True,
        enabled=True,
    )
    for job, wish in (("archive", True), ("dumps", dumping), ("drill", True)):
        systemd.service(
            name=f"Have the {job} done by the clock" if wish else f"Have no {job} done",
            service=f"database-{job}.timer",
            running=wish,
            enabled=wish,
        )
