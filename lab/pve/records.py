"""What an emulated cluster keeps: VMs, disks, files and pools; in a file, if it has one."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Disk(_Record):
    """A disk in a storage."""

    gib: float
    image: str = ""
    """The file that it was imported from; none if it came empty."""


class Snapshot(_Record):
    """A VM as it once was; the content of its disks is the hardware's to keep."""

    config: dict[str, str]
    description: str
    at: int
    parent: str = ""


class Vm(_Record):
    """One VM: its configuration as Proxmox stores it, its firewall and its snapshots."""

    vm_id: int
    node: str
    config: dict[str, str] = Field(default_factory=dict)
    pool: str = ""
    lock: str = ""
    """Why nothing may be done with it, such as ``create``."""
    running: bool = False
    """Whether its power was on when it was last looked at."""
    machine: str = ""
    """The name of the machine that it is, which is the VM's name at its first start."""
    firewall: dict[str, str] = Field(default_factory=dict)
    rules: list[dict[str, str]] = Field(default_factory=list)
    snapshots: dict[str, Snapshot] = Field(default_factory=dict)
    parent: str = ""
    """The snapshot that it was last at."""

    @property
    def name(self) -> str:
        """Return its name, which need not be unique."""
        return self.config.get("name", f"VM{self.vm_id}")


class Records(_Record):
    """All that the cluster keeps."""

    vms: dict[int, Vm] = Field(default_factory=dict)
    volumes: dict[str, Disk] = Field(default_factory=dict)
    files: dict[str, int] = Field(default_factory=dict)
    """Size in bytes of every downloaded file, by volume id."""
    pools: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Records:
        """Return what a file holds, or nothing if there is none."""
        try:
            return cls.model_validate_json(path.read_text())
        except FileNotFoundError:
            return cls()

    def save(self, path: Path) -> None:
        """Write the file anew: whole or not at all, whenever the computer fails."""
        new = path.with_suffix(".new")
        new.touch(mode=0o600)
        with new.open("w") as file:
            file.write(self.model_dump_json(indent=1, exclude_defaults=True))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
