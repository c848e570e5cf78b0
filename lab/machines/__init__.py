"""Real Debian machines under systemd-nspawn, in a network of the lab's own, and what befalls them.

`Place` says whose they are, `BaseImage` what they start from, `Network` where they meet, `Machine`
is one of them, `faults` what can be done to them, and `clean_up` leaves nothing of a lab.
"""

from .base_image import BaseImage
from .cleaning import Left, clean_up, left
from .machine import Machine, MachineArgs
from .network import Network
from .package_repository import PackageRepository
from .place import Place
from .volume import Volume

__all__ = [
    "BaseImage",
    "Left",
    "Machine",
    "MachineArgs",
    "Network",
    "PackageRepository",
    "Place",
    "Volume",
    "clean_up",
    "left",
]
