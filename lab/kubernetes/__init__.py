"""Real Kubernetes for the lab's machines, behind the words of K3s (STAND-IN: K3s cannot be had).

`Distribution` is what K3s would be downloaded as, `Image` what its pods run, `Registry` where
they get it, `machine_options` what a machine of nspawn needs besides to be a node.
"""

from .distribution import Distribution
from .images import Image
from .machine_options import PLAIN_FOLDERS, let_the_kernel_watch, machine_options
from .registry import Registry

__all__ = [
    "PLAIN_FOLDERS",
    "Distribution",
    "Image",
    "Registry",
    "let_the_kernel_watch",
    "machine_options",
]
