"""What is let be in the cluster, and why: the one list of it."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

Reasons = Mapping[str, str]

_K3S, _SPEAKER = "K3s' own pods", "MetalLB's speaker answers ARP on the machines' own network"
_EXPORTER = "the exporter of a node's figures reads them from the node's files"
_STATUS = "MetalLB keeps the status of its own objects"
_PROVISIONER = "K3s' provisioner of local volumes"
_CERTIFICATES = "cert-manager writes certificates' keys as secrets, by its makers' roles"
_TRAEFIK = "K3s installs its own Traefik, where it is wanted"
ALLOWED: Mapping[str, Reasons] = {
    "5.1.1": {"helm-kube-system-traefik*": _TRAEFIK},
    "5.1.6": {
        "cert-manager": "cert-manager asks the API",
        "kube-system": f"{_K3S} ask the API",
        "metallb-system": "MetalLB asks the API",
        "monitoring": "Prometheus and kube-state-metrics ask the API what there is",
    },
    "5.2.1": {"metallb-system": _SPEAKER, "node-exporters": _EXPORTER},
    "5.2.5": {"metallb-system": _SPEAKER},
    "5.2.6": {"kube-system": _K3S},
    "5.2.7": {"kube-system": _K3S, "metallb-system": _SPEAKER},
    "5.2.8": {"kube-system": _K3S, "metallb-system": _SPEAKER},
    "5.2.11": {"kube-system": _K3S, "node-exporters": _EXPORTER},
    "5.2.12": {"metallb-system": _SPEAKER},
    "5.3.2": {"kube-system": f"{_K3S} are asked by every pod and by the nodes"},
    "5.1.2": {
        "cert-manager*": _CERTIFICATES,
        "traefik-kube-system": "Traefik shows certificates",
        "metallb-system/controller": "MetalLB keeps its members' key in its own namespace",
        "metallb-system/pod-lister": "MetalLB keeps its members' key in its own namespace",
    },
    "5.1.3": {
        "kube-apiserver-kubelet-admin": "the API itself asks kubelets",
        "k3s-cloud-controller-manager": "K3s' cloud controller changes nodes",
        "metallb-system/pod-lister": _STATUS,
        "metallb-system:speaker": _STATUS,
    },
    "5.1.4": {
        "cert-manager-controller-challenges": "cert-manager's role has it for HTTP-01, unused here",
        "kube-system/local-path-provisioner-bind": _PROVISIONER,
    },
    "5.1.9": {"local-path-provisioner-bind": _PROVISIONER},
    "5.1.10": {"kube-apiserver-kubelet-admin": "the API itself asks kubelets"},
    "5.1.12": {
        "cert-manager-cainjector": "cert-manager's role has it for its own webhook",
        "metallb-system:controller": "MetalLB's role has it for its own webhook",
    },
    "5.1.13": {"cert-manager/cert-manager-*": "cert-manager asks for tokens of its own account"},
}
"""By control: namespaces whose pods, and bindings whose subjects, may do it; ``*`` is any end."""


def reason(number: str, where: str) -> str:
    """Return why something is let be there; nothing if it is not."""
    known = ALLOWED.get(number, {}).items()
    return next((why for place, why in known if fnmatchcase(where, place)), "")
