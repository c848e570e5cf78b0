"""Somebody who asks a service in the cluster again and again, as people behind the edge do."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

from lab.machines.network import entered

PORT = 30080
NAMESPACE = "web"
PAUSE = 0.02


def web() -> list[object]:
    """Return a service of three pods as an application has it: one goes at a time, and in peace."""
    serve = "mkdir -p /tmp/w && echo here >/tmp/w/index.html && exec httpd -f -p 8080 -h /tmp/w"
    container = {
        "name": "web",
        "image": "lab/debug:1",
        "args": ["-c", serve],
        "ports": [{"containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
        # Whoever was sent to it before all proxies knew that it goes is still answered.
        "lifecycle": {"preStop": {"sleep": {"seconds": 6}}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    labels = {"app": "web"}
    pod = {
        "containers": [container],
        "terminationGracePeriodSeconds": 10,
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": labels},
            }
        ],
    }
    metadata = {"name": "web", "namespace": NAMESPACE}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "replicas": 3,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {
                "type": "NodePort",
                "selector": labels,
                "ports": [{"port": 80, "targetPort": 8080, "nodePort": PORT}],
            },
        },
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": metadata,
            "spec": {"minAvailable": 2, "selector": {"matchLabels": labels}},
        },
    ]


class Asked:
    """Counts answers and faults."""

    def __init__(self, namespace: Path, addresses: Sequence[str]) -> None:
        self._namespace, self._addresses = namespace, addresses
        self._stop = threading.Event()
        self.times, self.slowest = 0, 0.0
        self.faults: list[str] = []

    def answered_everywhere(self) -> bool:
        """Tell whether the service answers at each node."""
        with entered(self._namespace):
            return all(not self._ask(address) for address in self._addresses * 3)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Ask within a block."""
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self.stop()
            thread.join()

    def stop(self) -> None:
        self._stop.set()

    def told(self) -> tuple[int, int, float, list[str]]:
        """Return what to report."""
        return self.times, len(self.faults), self.slowest, self.faults[:10]

    def _run(self) -> None:
        # A thread has a network namespace of its own.
        with entered(self._namespace):
            for address in cycle(self._addresses):
                if self._stop.wait(PAUSE):
                    return
                if fault := self._ask(address):
                    self.faults.append(fault)

    def _ask(self, address: str) -> str:
        began = time.monotonic()
        asked = http.client.HTTPConnection(address, PORT, timeout=10)
        self.times += 1
        try:
            asked.request("GET", "/")
            answer = asked.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as error:
            return f"{time.strftime('%T')} {address}: {error!r}"
        finally:
            asked.close()
            self.slowest = max(self.slowest, time.monotonic() - began)
        return "" if said == b"here\n" else f"{address}: {answer.status} {said!r}"
