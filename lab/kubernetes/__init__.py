"""Kubernetes for the lab's machines: K3s where it can be downloaded, else what plays it.

`Distribution` is real upstream Kubernetes behind the words and files of K3s (a STAND-IN), `release`
chooses, `Image` is what pods run, `Registry` where they get it, `machine_options` what a machine of
nspawn needs besides to be a node.
"""

from .distribution import Distribution
from .images import Image
from .machine_options import PLAIN_FOLDERS, let_the_kernel_watch, machine_options
from .real_k3s import RealK3s, release
from .registry import Registry

__all__ = [
    "PLAIN_FOLDERS",
    "Distribution",
    "Image",
    "RealK3s",
    "Registry",
    "let_the_kernel_watch",
    "machine_options",
    "release",
]
