"""What all of our pods have in common, whatever runs in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RESTRICTED: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
"""What the pod security standard of this name asks of every container."""
LOST_AFTER_SECONDS = 10
"""How long pods stay with a node that does not answer."""


def restricted(user: int) -> dict[str, Any]:
    """Return what the pod security standard ``restricted`` asks of a pod."""
    return {
        "runAsNonRoot": True,
        "runAsUser": user,
        "runAsGroup": user,
        "fsGroup": user,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def soon_elsewhere() -> list[dict[str, Any]]:
    """Return the tolerations of a pod that leaves a lost node after a few seconds."""
    return [
        {
            "key": f"node.kubernetes.io/{why}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": LOST_AFTER_SECONDS,
        }
        for why in ("not-ready", "unreachable")
    ]
