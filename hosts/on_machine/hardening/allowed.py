"""What is let be in the cluster, and why: the one list of it."""

from __future__ import annotations

from collections.abc import Mapping

Reasons = Mapping[str, str]

_K3S, _SPEAKER = "K3s' own pods", "MetalLB's speaker answers ARP on the machines' own network"
_STATUS = "MetalLB keeps the status of its own objects"
_PROVISIONER = "K3s' provisioner of local volumes"
ALLOWED: Mapping[str, Reasons] = {
    "5.1.6": {"kube-system": f"{_K3S} ask the API", "metallb-system": "MetalLB asks the API"},
    "5.2.1": {"metallb-system": _SPEAKER},
    "5.2.5": {"metallb-system": _SPEAKER},
    "5.2.6": {"kube-system": _K3S},
    "5.2.7": {"kube-system": _K3S, "metallb-system": _SPEAKER},
    "5.2.8": {"kube-system": _K3S, "metallb-system": _SPEAKER},
    "5.2.11": {"kube-system": _K3S},
    "5.2.12": {"metallb-system": _SPEAKER},
    "5.3.2": {"kube-system": f"{_K3S} are asked by every pod and by the nodes"},
    "5.1.2": {
        "metallb-system/controller": "MetalLB keeps its members' key in its own namespace",
        "metallb-system/pod-lister": "MetalLB keeps its members' key in its own namespace",
    },
    "5.1.3": {
        "kube-apiserver-kubelet-admin": "the API itself asks kubelets",
        "k3s-cloud-controller-manager": "K3s' cloud controller changes nodes",
        "metallb-system/pod-lister": _STATUS,
        "metallb-system:speaker": _STATUS,
    },
    "5.1.4": {"kube-system/local-path-provisioner-bind": _PROVISIONER},
    "5.1.9": {"local-path-provisioner-bind": _PROVISIONER},
    "5.1.10": {"kube-apiserver-kubelet-admin": "the API itself asks kubelets"},
    "5.1.12": {"metallb-system:controller": "MetalLB's maker gives it its own webhook"},
}
"""By control: namespaces whose pods, and bindings whose subjects, may do it."""


def why(reasons: Reasons) -> str:
    """Return the reasons, each once."""
    return "; ".join(dict.fromkeys(reasons.values()))
