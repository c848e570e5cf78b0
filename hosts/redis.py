"""Redis: a cache on every machine, whose master is where the database address is.

No Sentinel: it would elect a leader of its own, and an address that is where PostgreSQL's leader
is would point at a replica whenever the two disagree. So nobody votes twice: whoever holds the
address is the master, and all others copy from the address. What was acknowledged may be lost.
Traffic is not encrypted; the firewall lets in the application's machines and the peers alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import StringIO
from ipaddress import IPv4Address
from typing import Literal

from pyinfra.operations import files, server, systemd

from .checks import port, refuse, within
from .deploying import deploy
from .packages import Packages
from .pair import Pair
from .rendering import as_json, program, rendered

PACKAGES = Packages(names=("redis-server", "redis-tools", "python3"), ours=("redis-server",))
FOLDER = "/etc/redis"
LIVE = "live.redis"
"""What a running Redis is told when its secrets change."""
Eviction = Literal["allkeys-lru", "allkeys-lfu", "volatile-lru", "noeviction"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Redis:
    """The cache of one machine."""

    virtual_address: IPv4Address
    application: Pair
    replication: Pair
    """Among the caches themselves."""
    memory_mib: int = 128
    eviction: Eviction = "allkeys-lru"
    append_only: bool = False
    port: int = 6379

    def __post_init__(self) -> None:
        refuse(
            [
                *port("port", self.port),
                *within("memory_mib", self.memory_mib, 16, 65536),
            ]
        )


@deploy("Redis")
def redis(wanted: Redis) -> None:
    """Install Redis, and have it lead where the address is."""
    files.directory(
        name="Make the folder of Redis", path=FOLDER, user="root", group="redis", mode="2750"
    )
    settings, *secrets = [
        files.put(
            name=f"Write Redis's {file}",
            src=text,
            dest=f"{FOLDER}/{file}",
            user="root",
            group="redis",
            mode="640",
        )
        for file, text in _written(wanted).items()
    ]
    started = systemd.service(
        name="Keep Redis running", service="redis-server.service", running=True, enabled=True
    )
    systemd.service(
        name="Restart Redis when its settings changed",
        service="redis-server.service",
        restarted=True,
        _if=lambda: settings.did_change() and not started.did_change(),
    )
    server.shell(
        name="Have Redis take its secrets without ending a connection",
        commands=[
            f"said=$(redis-cli -p {wanted.port} <{FOLDER}/{LIVE} | sort -u)"
            ' && [ "$said" = OK ] || { echo "$said" >&2; exit 1; }'
        ],
        _if=lambda: (
            any(file.did_change() for file in secrets)
            and not (settings.did_change() or started.did_change())
        ),
    )
    _follow(wanted)


def _follow(wanted: Redis) -> None:
    parts = [
        files.put(
            name="Write the program that lets Redis follow the address",
            src=program("on_machine/redis_follows.py"),
            dest="/usr/local/sbin/redis-follows",
            mode="755",
        ),
        files.put(
            name="Write whom Redis follows",
            src=as_json(
                {
                    "address": str(wanted.virtual_address),
                    "port": wanted.port,
                    "user": "follower",
                    "password": wanted.replication.word,
                }
            ),
            dest=f"{FOLDER}/follows.json",
            user="root",
            group="redis",
            mode="640",
        ),
        files.put(
            name="Write how systemd runs it",
            src=rendered("redis-follows.service.j2", folder=FOLDER),
            dest="/etc/systemd/system/redis-follows.service",
            mode="644",
        ),
    ]
    systemd.daemon_reload(
        name="Have systemd read the unit of what follows", _if=parts[-1].did_change
    )
    started = systemd.service(
        name="Keep Redis following", service="redis-follows.service", running=True, enabled=True
    )
    systemd.service(
        name="Restart what follows when it changed",
        service="redis-follows.service",
        restarted=True,
        _if=lambda: any(part.did_change() for part in parts) and not started.did_change(),
    )


def _written(wanted: Redis) -> dict[str, StringIO]:
    users = rendered("redis.users.acl.j2", wanted=wanted, digest=_digest).getvalue()
    word = wanted.replication.word
    return {
        "redis.conf": rendered("redis.conf.j2", wanted=wanted, folder=FOLDER),
        "users.acl": StringIO(users),
        "master.conf": StringIO(f"masterauth {word}\n"),
        LIVE: StringIO(f"AUTH reloader {word}\n{as_commands(users)}CONFIG SET masterauth {word}\n"),
    }


def as_commands(users: str) -> str:
    """Return what makes a running Redis know users as its file says.

    Loading the file would end the connections of all of them.
    """
    told = (line.split(" ", 2) for line in users.splitlines())
    return "".join(f"ACL SETUSER {name} reset {rules}\n" for _, name, rules in told)


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
