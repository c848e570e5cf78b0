"""The single values that sections are made of: what each looks like, with one that is right."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema

Hostname = Annotated[
    str,
    StringConstraints(
        max_length=253, pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$"
    ),
    Field(examples=["portal.example.com"]),
]
EmailAddress = Annotated[
    str,
    StringConstraints(
        max_length=254, pattern=r"^[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@([a-z0-9-]+\.)+[a-z]{2,63}$"
    ),
    Field(examples=["anna@example.com"]),
]
MachineName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"),
    Field(examples=["db-node1"]),
]
PublicKey = Annotated[
    str,
    StringConstraints(
        pattern=r"^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa) [A-Za-z0-9+/]+=*( .*)?$"
    ),
    Field(examples=["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI... name@laptop"]),
]
Port = Annotated[int, Field(ge=1, le=65535)]
VmId = Annotated[int, Field(ge=100, le=999_999_999)]
Positive = Annotated[int, Field(ge=1)]
Identifier = Annotated[
    str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,62}$"), Field(examples=["cold_db"])
]


def _whole_minute(value: time) -> time:
    """Refuse what a timer would silently drop: seconds and a time zone."""
    if value.second or value.microsecond or value.tzinfo:
        raise ValueError("not a time of day like 02:00")
    return value


# Debian's own: `useradd` refuses a name whose group exists, and then nobody could log in.
# fmt: off
_GROUPS_OF_DEBIAN = {
    "root", "daemon", "bin", "sys", "adm", "tty", "disk", "lp", "mail", "news", "uucp", "man",
    "proxy", "kmem", "dialout", "fax", "voice", "cdrom", "floppy", "tape", "sudo", "audio", "dip",
    "www-data", "backup", "operator", "list", "irc", "src", "shadow", "utmp", "video", "sasl",
    "plugdev", "staff", "games", "users", "nogroup",
}
# fmt: on


def _free_on_debian(name: str) -> str:
    """Refuse the name of a group that every Debian has."""
    if name in _GROUPS_OF_DEBIAN:
        raise ValueError("not a name that is free on Debian, like ops")
    return name


UserName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$"),
    AfterValidator(_free_on_debian),
    Field(examples=["ops"]),
]
TimeOfDay = Annotated[
    time,
    AfterValidator(_whole_minute),
    # JSON schema's own format "time" asks for seconds and a zone.
    WithJsonSchema(
        {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "examples": ["02:00"]}
    ),
]

Fingerprint = (
    Literal["unpinned"]
    | Annotated[
        str,
        StringConstraints(pattern=r"^[0-9A-F]{2}(:[0-9A-F]{2}){31}$"),
        Field(examples=["AB:CD:... (32 pairs)"]),
    ]
)
CloudflareId = (
    Literal["unpinned"]
    | Annotated[
        str,
        StringConstraints(pattern=r"^[0-9a-f]{32}$"),
        Field(examples=["023e105f4ecef8ad9ca31a8372d0c353"]),
    ]
)
RegistryName = Annotated[
    str,
    StringConstraints(pattern=r"^(\*|[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]+)?)$"),
    Field(examples=["docker.io"]),
]
"""Of a registry as images have it; ``*`` is every other."""
ReleaseFile = Annotated[str, StringConstraints(pattern=r"^(k3s|k3s-airgap-images-[a-z0-9.-]+)$")]
"""A file of a release of K3s."""
Sha256 = (
    Literal["unpinned"]
    | Annotated[
        str, StringConstraints(pattern=r"^[0-9a-f]{64}$"), Field(examples=["9f2c... (64 digits)"])
    ]
)
PinnedImage = Annotated[
    str,
    StringConstraints(
        pattern=r"^[a-z0-9][a-z0-9.:/_-]*(:[A-Za-z0-9][A-Za-z0-9._-]*)?@sha256:[0-9a-f]{64}$"
    ),
    Field(examples=["cloudflare/cloudflared:2025.11.1@sha256:89ee... (64 digits)"]),
]
"""A container image that nobody can change under its name."""

Secret = Literal[
    "owner",
    "replication",
    "rewind",
    "pooler",
    "redis",
    "redis_replication",
    "dumps",
    "backups",
    "authority",
]
"""What the database tier keeps two of, so that none is changed while it is used."""
