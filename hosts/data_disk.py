"""A data disk: formatted once if it is blank, and never if it holds anything at all."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.facts import FactBase
from pyinfra.context import host
from pyinfra.operations import files, server
from typing_extensions import override

from .checks import refuse
from .deploying import deploy


@dataclass(frozen=True, kw_only=True, slots=True)
class DataDisk:
    """A disk by the name that it keeps, and where it belongs."""

    device: str
    """``/dev/disk/by-id/...``: the kernel's own names change places."""
    mount: PurePosixPath
    label: str = "data"

    def __post_init__(self) -> None:
        refuse(
            [
                *(
                    []
                    if self.device.startswith("/dev/disk/by-")
                    else [f"device: must be below /dev/disk/by-*, got {self.device}"]
                ),
                *([] if self.mount.is_absolute() else [f"mount: must be absolute: {self.mount}"]),
            ]
        )


# blkid answers 2 where it knows nothing of what is there; that may still be something.
_LOOK = """\
if [ ! -b {device} ]; then echo missing
elif found=$(blkid -p -o value -s TYPE -s LABEL {device}); then echo $found
elif [ $? -ne 2 ]; then echo unknown
elif cmp -s -n 4194304 {device} /dev/zero; then echo blank
else echo unknown
fi"""


class Content(FactBase[str]):
    """What is on a disk: ``blank``, ``ext4 LABEL``, another kind, or ``unknown`` bytes."""

    @override
    def command(self, device: str) -> str:
        return _LOOK.format(device=shlex.quote(device))

    @override
    def process(self, output: list[str]) -> str:
        return "".join(output).strip()


@deploy("Data disk")
def data_disk(wanted: DataDisk) -> None:
    """Have the disk mounted, now and at each start."""
    ours = sorted([wanted.label, "ext4"])

    def content() -> str:
        return str(host.get_fact(Content, device=wanted.device))

    server.shell(
        name=f"Refuse {wanted.device} unless it is blank or ours",
        commands=[f"echo '{wanted.device}: holds something else, nothing was written' >&2; exit 1"],
        _if=lambda: content() != "blank" and sorted(content().split()) != ours,
    )
    server.shell(
        name=f"Format {wanted.device}, which is blank",
        commands=[f"mkfs.ext4 -q -L {wanted.label} -m 1 {wanted.device}"],
        _if=lambda: content() == "blank",
    )
    files.directory(name=f"Make {wanted.mount}", path=str(wanted.mount), _if=_not_mounted(wanted))
    files.line(
        name=f"Have {wanted.mount} mounted at each start",
        path="/etc/fstab",
        line=rf".*\s{wanted.mount}\s.*",
        replace=f"{wanted.device} {wanted.mount} ext4 defaults,noatime 0 2",
    )
    server.shell(
        name=f"Mount {wanted.mount}",
        commands=["systemctl daemon-reload", f"mount {wanted.mount}"],
        _if=_not_mounted(wanted),
    )


class Mounted(FactBase[bool]):
    """Whether something is mounted at a place."""

    default = bool

    @override
    def command(self, path: str) -> StringCommand:
        return StringCommand(
            "mountpoint", "-q", QuoteString(path), "&&", "echo", "yes", "||", "true"
        )

    @override
    def process(self, output: list[str]) -> bool:
        return output[:1] == ["yes"]


def _not_mounted(wanted: DataDisk) -> Callable[[], bool]:
    return lambda: not host.get_fact(Mounted, path=str(wanted.mount))
