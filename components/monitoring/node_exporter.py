"""node-exporter on every node: processor, memory and disks as the node itself sees them.

It reads the node's files, which no restricted pod may: so it has a namespace of its own where pods
may, and nothing else there. It has neither the node's network nor its processes nor a right; what
the node's network card does is told by the kubelet.
"""

from __future__ import annotations

from .names import EXPORTERS, FIGURES, Body, labels, metadata
from .pods import Program, pod, resources

NAME = "node-exporter"
PORT = 9100
HOST = "/host"
_COLLECTORS = ("cpu", "diskstats", "filesystem", "loadavg", "meminfo", "pressure", "stat", "uname")
_NO_DISKS = "^/(dev|proc|run|sys|var/lib/(kubelet|rancher|containerd)/.+)($|/)"
"""What pods have mounted is theirs, and told by the kubelet."""


def objects(image: str) -> dict[str, Body]:
    """Return what runs it, by what it is called."""
    program = Program(
        name=NAME,
        image=image,
        args=[
            f"--path.procfs={HOST}/proc",
            f"--path.sysfs={HOST}/sys",
            f"--path.rootfs={HOST}",
            f"--web.listen-address=0.0.0.0:{PORT}",
            "--collector.disable-defaults",
            *(f"--collector.{name}" for name in _COLLECTORS),
            f"--collector.filesystem.mount-points-exclude={_NO_DISKS}",
        ],
        ports={FIGURES: PORT},
        ready={"path": "/", "port": FIGURES},
        live={"path": "/", "port": FIGURES},
        resources=resources("10m", "24Mi", "64Mi", "250m"),
    )
    host = {"name": "host", "hostPath": {"path": "/", "type": "Directory"}}
    # Also on nodes that take nothing else: they are watched most of all.
    template = pod(program, [host], tolerations=[{"operator": "Exists"}])
    (container,) = template["spec"]["containers"]
    container["volumeMounts"] = [
        {
            "name": "host",
            "mountPath": HOST,
            "readOnly": True,
            "mountPropagation": "HostToContainer",
        }
    ]
    return {
        "pods": {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": metadata(NAME, EXPORTERS),
            "spec": {
                "selector": {"matchLabels": labels(NAME)},
                "updateStrategy": {
                    "type": "RollingUpdate",
                    "rollingUpdate": {"maxUnavailable": "50%"},
                },
                "template": template,
            },
        }
    }
