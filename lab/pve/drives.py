"""A VM's drives, as its configuration writes them: a volume and options, all in one value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

KEY = re.compile(r"(scsi|virtio|sata|ide|efidisk|tpmstate|unused)\d+")
_UNITS = {"K": 1 / 1024**2, "M": 1 / 1024, "G": 1.0, "T": 1024.0}


@dataclass(frozen=True, slots=True)
class Drive:
    """One drive; a new one names its storage and a size where others name a volume."""

    volume: str
    options: Mapping[str, str]

    @classmethod
    def parse(cls, value: str) -> Drive:
        """Read a drive; ``file=`` before the volume may be left out."""
        volume, *options = filter(None, value.removeprefix("file=").split(","))
        return cls(volume, {o.partition("=")[0]: o.partition("=")[2] for o in options})

    def __str__(self) -> str:
        return ",".join([self.volume, *(f"{k}={v}" for k, v in self.options.items())])

    @property
    def storage(self) -> str:
        """Return the storage that it is in."""
        return self.volume.partition(":")[0]

    @property
    def is_disk(self) -> bool:
        """Tell whether it is a disk, and not a CD or the drive for cloud-init."""
        return self.options.get("media") != "cdrom" and self.volume not in ("none", "cdrom")

    def kept_as(self, volume: str, gib: float) -> Drive:
        """Return it as the configuration keeps it: without what was told for its making."""
        told = ("format", "import-from", "size")
        options = {k: v for k, v in self.options.items() if k not in told}
        return Drive(volume, options | {"size": written(gib)})


def drives_of(config: Mapping[str, str]) -> Iterator[tuple[str, Drive]]:
    """Yield the drives of a VM by their keys."""
    for key, value in config.items():
        if KEY.fullmatch(key):
            yield key, Drive.parse(value)


def owned_by(vm_id: int, volume: str) -> bool:
    """Tell whether a volume goes with a VM: it has the VM's id in its name."""
    return re.search(rf"[:/]vm-{vm_id}-", volume) is not None


def gib_of(size: str) -> float:
    """Return a size as Proxmox writes it; a bare number is bytes."""
    return float(size[:-1]) * _UNITS[size[-1]] if size[-1] in _UNITS else int(size) / 1024**3


def written(gib: float) -> str:
    """Return a size as Proxmox writes it."""
    return f"{gib:g}G" if gib >= 1 else f"{gib * 1024:g}M"
