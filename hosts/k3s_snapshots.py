"""What etcd holds, kept in an object store: taken by K3s itself, looked after by us.

K3s takes snapshots by the clock and forgets one whose upload failed until the next is due. A timer
of ours asks the store whether the newest one has arrived, and takes another until one has. Each is
named after the generation of the token that opens it: without that token nobody can restore it.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from typing import Any

from pyinfra.operations import files, systemd

from .checks import refuse, within
from .k3s_places import FOLDER, JOINED
from .object_store import Store
from .on_machine.k3s_snapshots import generation
from .rendering import as_json, program, rendered

SETTINGS = f"{FOLDER}/config.yaml.d/50-snapshots.yaml"
AUTHORITY = f"{FOLDER}/object-store.pem"
_TIMER, _SERVICE = "k3s-snapshots.timer", "k3s-snapshots.service"
_PROGRAMS = {"k3s_snapshots": "keeps snapshots", "k3s_restore": "restores one"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshots:
    """Where snapshots go, how often, and how many of each server stay."""

    store: Store
    folder: str
    """Below the bucket: two clusters in one bucket must differ."""
    every_hours: int = 6
    kept: int = 28

    def __post_init__(self) -> None:
        refuse(
            [
                *within("every_hours", self.every_hours, 1, 24),
                *within("kept", self.kept, 1, 1000),
            ]
        )


def told_k3s(wanted: Snapshots, token: str, place: int) -> dict[str, Any]:
    """Return K3s' own settings; servers take turns by their place among them."""
    store = wanted.store
    told = {
        "etcd-snapshot-name": generation(token),
        "etcd-snapshot-schedule-cron": f"{place * 5 % 60} */{wanted.every_hours} * * *",
        "etcd-snapshot-retention": wanted.kept,
        "etcd-s3": True,
        "etcd-s3-endpoint": store.endpoint,
        "etcd-s3-bucket": store.bucket,
        "etcd-s3-region": store.region,
        "etcd-s3-folder": wanted.folder,
        "etcd-s3-access-key": store.key,
        "etcd-s3-secret-key": store.key_secret,
        "etcd-s3-timeout": "5m0s",
    }
    return told | ({"etcd-s3-endpoint-ca": AUTHORITY} if store.authority else {})


def settings_files(wanted: Snapshots, token: str, place: int) -> dict[str, StringIO]:
    """Return the files that K3s reads when it starts."""
    texts = {SETTINGS: as_json(told_k3s(wanted, token, place))}
    if wanted.store.authority:
        texts[AUTHORITY] = StringIO(wanted.store.authority.strip() + "\n")
    return texts


def snapshots(wanted: Snapshots | None) -> None:
    """Have the programs of a server, and the timer if there is a store."""
    for name, what in _PROGRAMS.items():
        files.put(
            name=f"Write the program that {what}",
            src=program(f"on_machine/{name}.py"),
            dest=f"/usr/local/sbin/{name.replace('_', '-')}",
            mode="755",
        )
    if wanted is None:
        return
    units = [
        files.put(
            name=f"Write {unit}",
            src=rendered(f"{unit}.j2", hours=wanted.every_hours, joined=JOINED),
            dest=f"/etc/systemd/system/{unit}",
            mode="644",
        )
        for unit in (_TIMER, _SERVICE)
    ]
    systemd.daemon_reload(
        name="Have systemd read the units of snapshots",
        _if=lambda: any(unit.did_change() for unit in units),
    )
    systemd.service(
        name="Look after the snapshots from time to time",
        service=_TIMER,
        running=True,
        enabled=True,
    )
