"""A real API server with etcd and controllers on loopback: all of Kubernetes but nodes."""

from __future__ import annotations

import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from toolchain import cluster
from toolchain.cache import Cache

from .api import Api, ApiError

STARTS_WITHIN_SECONDS = 60


def kubernetes() -> Path:
    """Return the program that is all of Kubernetes, and etcd, by the name it is called by."""
    tool = cluster.kubernetes(cluster.KUBERNETES)
    program = Cache.of_this_user().root / tool.module.output
    assert program.is_file(), "run `python3 -m toolchain --cluster` first"
    return program


@contextmanager
def control_plane(folder: Path) -> Iterator[Api]:
    """Run a cluster without nodes; ``folder`` gets its data, its logs and a kubeconfig."""
    program = kubernetes()
    ca, certificate = trustme.CA(), folder / "ca.pem"
    ca.cert_pem.write_to_path(str(certificate))
    serving = folder / "serving.pem"
    ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(serving))
    token = secrets.token_hex(16)
    (folder / "tokens.csv").write_text(f"{token},admin,admin,system:masters\n")
    _write_service_key(folder)
    etcd, peer, port = _free_ports(3)
    api = Api(port=port, certificate=certificate, token=token)
    (folder / "kubeconfig").touch(mode=0o600)
    (folder / "kubeconfig").write_text(api.kubeconfig)
    commands = _commands(folder, f"http://127.0.0.1:{etcd}", f"http://127.0.0.1:{peer}", port)
    with ExitStack() as running:
        for name, arguments in commands.items():
            log = running.enter_context((folder / f"{name}.log").open("w"))
            process = subprocess.Popen(
                [name, *arguments], executable=program, stdout=log, stderr=subprocess.STDOUT
            )
            running.callback(_end, process)
            if name == "kube-apiserver":
                _wait_until_ready(api, process, folder / f"{name}.log")
        yield api


def _commands(folder: Path, etcd: str, peer: str, port: int) -> dict[str, list[str]]:
    return {
        "etcd": [
            f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls={etcd}",
            f"--advertise-client-urls={etcd}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
        ],
        "kube-apiserver": [
            f"--etcd-servers={etcd}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={port}",
            f"--tls-cert-file={folder / 'serving.pem'}",
            f"--tls-private-key-file={folder / 'serving.pem'}",
            f"--token-auth-file={folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={folder / 'service.pub'}",
            f"--service-account-signing-key-file={folder / 'service.key'}",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--endpoint-reconciler-type=none",
        ],
        "kube-controller-manager": [
            f"--kubeconfig={folder / 'kubeconfig'}",
            "--leader-elect=false",
            "--secure-port=0",
            f"--service-account-private-key-file={folder / 'service.key'}",
            # Nobody answers for the nodes, and none is to be given up for that.
            "--controllers=*,-node-lifecycle-controller,-taint-eviction-controller",
        ],
    }


def _write_service_key(folder: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (folder / "service.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    (folder / "service.pub").write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _wait_until_ready(api: Api, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while True:
        try:
            api.get("/readyz")
        except (ApiError, OSError) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the API server did not start: {error}; see {log}") from None
            time.sleep(0.1)
        else:
            return


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
