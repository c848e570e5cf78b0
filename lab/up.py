"""``make up``: the platform of a stack on this computer, from nothing or from where it stands."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path
from urllib.parse import urlsplit

from . import (
    images,
    internet,
    monitoring_images,
    preflight,
    services,
    stack,
    status,
    tunnel_images,
)
from .checkout import ROOT, STACKS, place_of
from .credentials import Credentials
from .hardware import BASE, PACKAGES, packages_of
from .kubernetes import release
from .machines import Network, Place
from .machines.host import HostError
from .machines.network import BRIDGE
from .project import Overlay, Project
from .repairing import repaired
from .steps import Steps


def up(name: str, *, bare: bool = False) -> int:
    """Make the lab of a stack, and the platform on it; return the engine's exit code.

    A ``bare`` one has the machines with nothing inside.
    """
    preflight.check(name)
    place = place_of(name)
    with _alone(name, place):
        _never_half(name, place, bare=bare)
        return _up(name, place, stack.HOSTS_ON_RECORDS if bare else None)


def _never_half(name: str, place: Place, *, bare: bool) -> None:
    """Refuse to go on with a lab of the other kind: its state would say what is not so."""
    mark = place.folder / "bare"
    if not (place.folder / "project").exists():
        mark.unlink(missing_ok=True)
        if bare:
            mark.touch()
    elif mark.exists() != bare:
        kind = "bare" if mark.exists() else "whole"
        raise HostError(f"the lab of {name}: it was made {kind}; take it down first")


@contextmanager
def _alone(name: str, place: Place) -> Iterator[None]:
    place.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (place.folder / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HostError(f"the lab of {name}: another `make up` is at work on it") from None
        yield


def _up(name: str, place: Place, hosts: Path | None) -> int:
    steps = Steps()
    print(f"Lab of {name}: real Debian machines behind an emulated Proxmox VE")
    steps.step("Debian, to start machines from", BASE.obtain, lambda folder: folder.name)
    steps.step(
        "Debian packages, offline", lambda: packages_of(place), lambda _: PACKAGES.folder.name
    )
    if hosts is None:
        k3s = release()
        steps.step(k3s.title, k3s.obtain, lambda folder: folder.name)
    steps.step("Network of its own", lambda: _network(name, place), lambda _: place.namespace)
    where = steps.step("Emulated APIs, object store", lambda: services.start(name))
    if hosts is None:
        where = _both(where, _pinned(name, place, steps))
    project = project_of(name)
    steps.step(
        "Pulumi project", lambda: _write(project, where, hosts), lambda _: str(project.folder)
    )
    unfinished = project.folder / "unfinished"
    steps.step(
        "What an earlier run left",
        lambda: repaired(project, failed=unfinished.exists()),
        str,
    )
    unfinished.touch()
    events_of(name).unlink(missing_ok=True)
    code = project.show("up", "--yes", "--skip-preview", "--event-log", str(events_of(name)))
    if code == 0:
        unfinished.unlink()
        print()
        steps.step("Machines answer", lambda: _answering(place), lambda count: f"{count} of them")
    print(f"\n`pulumi up` of {name} ended with {code}; {steps.seconds:.1f} s in all")
    if code == 0:
        status.print_all(name)
        _say_where_to_look(project)
    return code


def events_of(name: str) -> Path:
    """Return where the engine wrote down what it did last time (``ops.timeline`` draws it)."""
    return place_of(name).folder / "events.json"


def _pinned(name: str, place: Place, steps: Steps) -> Overlay:
    """Have the lab's registry serve all images, and return what the stack file says of them."""
    steps.step(
        "Images in its registry", lambda: images.served(place), lambda names: f"{len(names)}"
    )
    registry = images.registry_of(place)
    way_in = steps.step(
        "Images of the way in",
        lambda: tunnel_images.pinned_in(registry),
        lambda _: "STAND-IN for cloudflared; Debian's curl",
    )
    if not stack.stack_file_of(name)["config"]["coldstorage:monitoring"].get("images"):
        return way_in
    watching = steps.step(
        "Images of the monitoring",
        lambda: monitoring_images.pinned_in(registry),
        lambda _: monitoring_images.LEFT_OUT,
    )
    return _both(way_in, watching)


def _both(first: Overlay, second: Overlay) -> Overlay:
    return {
        section: {**first.get(section, {}), **second.get(section, {})}
        for section in {**first, **second}
    }


def project_of(name: str) -> Project:
    """Return the project of a lab that was made, its engine inside the lab's network."""
    place = place_of(name)
    certificate = services.authority_folder(place) / "ca.pem"
    within = Network(place).command()
    return stack.project_of(name, place.folder / "project", certificate, *within)


def _answering(place: Place) -> int:
    machines = [machine for machine in status.machines_of(place) if machine.running]
    for machine in machines:
        machine.wait_for_ssh()
    return len(machines)


def _network(name: str, place: Place) -> None:
    config = stack.stack_file_of(name)["config"]
    settings, proxmox = config["coldstorage:network"], config["coldstorage:proxmox"]
    network = Network(place)
    length = IPv4Network(settings["cidr"]).prefixlen
    network.up(IPv4Interface(f"{settings['gateway']}/{length}"))
    host = urlsplit(proxmox["endpoint"]).hostname
    network.ip("address", "replace", f"{host}/{length}", "dev", BRIDGE)
    internet.attach(network, settings["dns"])


def _write(project: Project, where: Overlay, hosts: Path | None) -> None:
    place = place_of(project.stack)
    stack.write(project, where, Credentials.kept_in(place.folder), hosts)


def _say_where_to_look(project: Project) -> None:
    lab = f"{Path(sys.executable).relative_to(ROOT)} -m lab"
    option = "" if project.stack == STACKS[0] else f" --stack {project.stack}"
    domain = project.section("environment")["domain"]
    lines = {
        "ssh db-node1": "a shell on a machine",
        "status": "the tables above, as they are then",
        "pulumi preview": "the engine on this stack; any of its commands",
        f"curl https://{domain}/": "a page through the edge; --as EMAIL logs in first",
        "run curl -k https://192.168.15.96:8006/": "a command inside the lab's network",
        "ops database status": "the day-2 commands of the database; `ops drill` is another",
        "fault power-cut db-node2": "hurt something; `fault -h` lists what there is",
    }
    print("\nTo look around:")
    for command, purpose in lines.items():
        print(f"  {lab}{option} {command:<42} {purpose}")
