"""A machine of the K3s cluster: all of its services, in the order in which they need each other.

``k3s`` has it, ``healthy`` says whether it is well; ``hosts.k3s_leaving:leave`` takes it out.
K3s' own install.sh is not used: it downloads by itself, on every machine, and the unit that it
writes is the only place of the settings that it was given.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from io import StringIO

from pyinfra.api.operation import OperationMeta
from pyinfra.context import host
from pyinfra.facts.files import File
from pyinfra.operations import files, server, systemd

from . import base as _base
from . import machine_for_k3s as _machine
from .api_address import CHECK, api_address
from .base import base, first_boot
from .deploying import deploy
from .firewall import PACKAGES as FIREWALL_PACKAGES
from .k3s_configuration import (
    ADMISSION,
    AGENT_TOKEN,
    AUDIT_LOG,
    AUDIT_POLICY,
    TOKEN,
    admission,
    configuration,
    joining,
)
from .k3s_hardening import hardening
from .k3s_node import API_PORT, MEMBER_PORT, K3sNode
from .k3s_places import BINARY, FOLDER, JOINED, SERVER
from .k3s_registries import authorities, registries
from .k3s_release import PROGRAM, released_file
from .k3s_snapshots import settings_files, snapshots
from .k3s_upgrading import begin_upgrade, finish_upgrade, refuse_wrong_step
from .machine_for_k3s import MachineForK3s, machine_for_k3s
from .packages import Packages, packages
from .rendering import as_json, program, rendered
from .started_before import StartedBefore

PACKAGES = Packages(
    names=tuple(
        sorted({*_base.PACKAGES.names, *FIREWALL_PACKAGES.names, *_machine.PACKAGES.names})
    ),
    ours=_machine.PACKAGES.ours,
)
IMAGES = "/var/lib/rancher/k3s/agent/images"
KUBECONFIG = "/run/k3s-join.kubeconfig"
_SECONDS = 420


@deploy("K3s")
def k3s(wanted: K3sNode) -> None:
    """Make a machine a node of the cluster."""
    refuse_wrong_step(wanted)
    first_boot(wanted.base)
    packages(PACKAGES)
    machine_for_k3s(MachineForK3s())
    base(wanted.base)
    begin_upgrade(wanted)
    parts = {**_release(wanted), **_settings(wanted)}
    if wanted.is_server:
        # Before it joins: where there is nobody to join, a snapshot is what brings them back.
        snapshots(wanted.snapshots)
    hardening(wanted)
    joined = _join(wanted)
    started = systemd.service(
        name="Keep K3s running",
        service=wanted.unit,
        running=True,
        enabled=True,
        _timeout=_SECONDS,
    )
    systemd.service(
        name="Restart K3s when it or its settings changed",
        service=wanted.unit,
        restarted=True,
        _timeout=_SECONDS,
        _if=lambda: (
            not (joined.did_change() or started.did_change())
            and (
                any(part.did_change() for part in parts.values())
                or host.get_fact(StartedBefore, service=wanted.unit, files=sorted(parts))
            )
        ),
    )
    finish_upgrade()
    if wanted.api_address:
        api_address(wanted.api_address)


@deploy("K3s health")
def healthy(_: K3sNode) -> None:
    """Succeed once the node is ready and, on a server, its API answers."""
    server.shell(name="Ask the node", commands=["/usr/local/sbin/k3s-health"])


def _release(wanted: K3sNode) -> dict[str, OperationMeta]:
    """Have the release's files; answer with those, by place, that K3s reads when it starts."""
    for name in wanted.release.images:
        released_file(
            name=f"Have {name}", release=wanted.release, file=name, dest=f"{IMAGES}/{name}"
        )
    return {
        BINARY: released_file(
            name=f"Have K3s {wanted.release.version}",
            release=wanted.release,
            file=PROGRAM,
            dest=BINARY,
            mode="755",
        )
    }


def _settings(wanted: K3sNode) -> dict[str, OperationMeta]:
    """Write what K3s reads when it starts; answer with it by place."""
    texts = {f"{FOLDER}/config.yaml": as_json(configuration(wanted))}
    texts |= _secrets(wanted)
    if wanted.registries:
        texts[f"{FOLDER}/registries.yaml"] = as_json(registries(wanted.registries))
        for place, authority in authorities(wanted.registries).items():
            texts[place] = StringIO(authority)
    if wanted.snapshots and wanted.token:
        turn = sorted(wanted.servers).index(wanted.name)
        texts |= settings_files(wanted.snapshots, wanted.token, turn)
    if wanted.is_server:
        texts[ADMISSION] = as_json(admission())
        texts[AUDIT_POLICY] = rendered("k3s.audit.yaml.j2")
        files.directory(
            name="Make the folder of the audit log", path=AUDIT_LOG.rpartition("/")[0], mode="700"
        )
    written = {
        path: files.put(name=f"Write {path}", src=text, dest=path, mode="600")
        for path, text in texts.items()
    }
    place = f"/etc/systemd/system/{wanted.unit}"
    unit = files.put(
        name="Write how systemd runs K3s",
        src=rendered("k3s.service.j2", command=wanted.command),
        dest=place,
        mode="644",
    )
    more = _programs(wanted)
    systemd.daemon_reload(
        name="Have systemd read K3s' units",
        _if=lambda: any(part.did_change() for part in (unit, *more)),
    )
    return {**written, place: unit}


def _secrets(wanted: K3sNode) -> dict[str, StringIO]:
    authority = wanted.authority.strip() + "\n"
    # An agent knows by the digest that it is this cluster which it tells its token.
    digest = sha256(authority.encode()).hexdigest()
    shown = wanted.agent_token if wanted.is_server else f"K10{digest}::node:{wanted.agent_token}"
    texts = {f"{FOLDER}/authority.pem": StringIO(authority), AGENT_TOKEN: StringIO(shown + "\n")}
    if wanted.token:
        texts[TOKEN] = StringIO(wanted.token + "\n")
    return texts


def _programs(wanted: K3sNode) -> list[OperationMeta]:
    """Write what answers questions on the machine; answer with what systemd has to read."""
    files.put(
        name="Write the question whether the node is well",
        src=rendered("k3s-health.j2", name=wanted.name, server=wanted.is_server),
        dest="/usr/local/sbin/k3s-health",
        mode="755",
    )
    if not wanted.is_server:
        return []
    files.put(
        name="Write the question whether the API is ready",
        src=rendered("api-ready.j2", port=API_PORT),
        dest=CHECK,
        mode="755",
    )
    units: dict[str, dict[str, object]] = {
        "k3s-member.socket": {"address": wanted.address, "port": MEMBER_PORT},
        "k3s-member@.service": {"word": wanted.cluster},
    }
    return [
        files.put(
            name=f"Write {unit}",
            src=rendered(f"{unit}.j2", **told),
            dest=f"/etc/systemd/system/{unit}",
            mode="644",
        )
        for unit, told in units.items()
    ]


def _join(wanted: K3sNode) -> OperationMeta:
    """Join or found the cluster, once."""

    def first() -> bool:
        return host.get_fact(File, path=JOINED) is None

    _authorities(wanted, first)
    files.put(
        name="Write the program that joins",
        src=program("on_machine/k3s_join.py"),
        dest="/usr/local/sbin/k3s-join",
        mode="755",
    )
    files.put(
        name="Write whom it joins",
        src=as_json(joining(wanted, member_port=MEMBER_PORT, kubeconfig=KUBECONFIG, joined=JOINED)),
        dest=f"{FOLDER}/join.json",
        mode="644",
    )
    files.put(
        name="Lend the administrator's way in",
        src=StringIO(wanted.administrator),
        dest=KUBECONFIG,
        mode="600",
        _if=first,
    )
    joined = server.shell(
        name="Join the cluster, or found it",
        commands=[f"k3s-join {FOLDER}/join.json{' --founded' if wanted.settled else ''}"],
        _timeout=_SECONDS,
        _if=first,
    )
    files.file(name="Take the way in back", path=KUBECONFIG, present=False)
    return joined


def _authorities(wanted: K3sNode, first: Callable[[], bool]) -> None:
    """Place the cluster's authorities; later they are in etcd, and changed by K3s' own rotation."""
    if wanted.authorities is None:
        return
    for folder in (SERVER, f"{SERVER}/tls"):
        files.directory(name=f"Make {folder}", path=folder, mode="700")
    both = {"server-ca": wanted.authorities.server, "client-ca": wanted.authorities.client}
    for name, authority in both.items():
        for suffix, text in (("crt", authority.certificate), ("key", authority.key)):
            files.put(
                name=f"Place {name}.{suffix}",
                src=StringIO(text.strip() + "\n"),
                dest=f"{SERVER}/tls/{name}.{suffix}",
                mode="600",
                _if=first,
            )
