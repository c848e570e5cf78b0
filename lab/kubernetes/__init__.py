"""Real Kubernetes for the lab's machines, behind the words of K3s (STAND-IN: K3s cannot be had).

`Distribution` is what K3s would be downloaded as, `images` what its pods run, `machine_options`
what a machine of nspawn needs besides to be a node.
"""

from .distribution import Distribution
from .images import Image
from .machine_options import PLAIN_FOLDERS, machine_options

__all__ = ["PLAIN_FOLDERS", "Distribution", "Image", "machine_options"]
