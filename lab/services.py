"""The lab's services, one process in its network: ``python -m lab.services STACK``.

It is started by ``lab.up``, ends with the lab, and may be killed: machines run on without it, and
the next one finds everything in files.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from . import edge, images, object_store
from .buckets import Buckets
from .checkout import ROOT, place_of
from .clouds import Records, cloudflare
from .clouds.r2 import s3_keys
from .credentials import Credentials
from .hardware import hardware_of
from .internet import Site
from .kubernetes import release
from .machines import Network, Place
from .machines.cgroup import Cgroup
from .machines.host import HostError, run
from .object_store import ObjectStore
from .project import Overlay
from .pve.api import api
from .pve.cluster import Cluster
from .serve import Authority, serving
from .stack import NO_RELEASE, endpoints, fenced_vms, stack_file_of

STARTS_WITHIN_SECONDS = 60
HTTPS_PORTS = {"proxmox": 8006, "cloudflare": 443}
# GROUPS LOG COMMAND...: be in the cgroups from the start, and outlive who called.
DETACHED = """\
for group in $1; do echo $$ >"$group/cgroup.procs" || exit; done
exec >>"$2" 2>&1 </dev/null
shift 2
exec setsid --fork "$@"
"""


def start(stack: str) -> Overlay:
    """Have the services run, and return where they are."""
    place = place_of(stack)
    group, found = _group(place), _found(place)
    if found and running(place) and found["code"] == _code():
        return _overlay(found)
    stop(place)
    group.create()
    log = _log(place)
    command = Network(place).command(sys.executable, "-m", "lab.services", stack)
    run("sh", "-c", DETACHED, "detached", " ".join(map(str, group.folders)), log, *command)
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while not (found := _found(place)):
        if not group.populated or time.monotonic() > deadline:
            last = "\n".join(log.read_text().splitlines()[-12:])
            raise HostError(f"the lab's services did not start, see {log}:\n{last}")
        time.sleep(0.02)
    return _overlay(found)


def stop(place: Place) -> None:
    """End the services; machines run on."""
    _ready(place).unlink(missing_ok=True)
    _group(place).kill()


def running(place: Place) -> bool:
    """Tell whether they run."""
    found = _found(place)
    return found is not None and found["pid"] in _group(place).pids()


def main() -> None:
    """Serve until told to end."""
    stack = sys.argv[1]
    place = place_of(stack)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with ExitStack() as services:
        where = _serve(stack, place, services)
        new = _ready(place).with_suffix(".new")
        new.write_text(json.dumps({"pid": os.getpid(), "code": _code(), "overlay": where}))
        new.replace(_ready(place))
        ended.wait()


def _serve(stack: str, place: Place, services: ExitStack) -> Overlay:
    """Serve everything, each at its address, and return where that is."""
    folder, authority = place.folder, Authority(authority_folder(place))
    config = stack_file_of(stack)["config"]
    domain = config["coldstorage:environment"]["domain"]
    credentials = Credentials.kept_in(folder)

    cluster = Cluster.load(folder / "proxmox.json", hardware_of(place, stack))
    for vm_id, reason in cluster.boot().items():
        print(f"VM {vm_id} does not start: {reason}", flush=True)
    store = ObjectStore(folder=folder / "object-store")
    buckets = Buckets(
        store,
        services.enter_context(object_store.serving(store, authority)),
        authority.certificate,
    )
    flare = cloudflare.cloudflare(
        Records(folder / "cloudflare.json"), domain=domain, effects=buckets
    )
    buckets.follow(lambda: s3_keys(flare.records))
    resolver = config["coldstorage:network"]["dns"][0]
    services.enter_context(edge.serving(folder, authority, domain, resolver))
    power = {credentials.proxmox_fencing_token: fenced_vms(stack)}
    proxmox = urlsplit(config["coldstorage:proxmox"]["endpoint"])
    pve, zones = (
        services.enter_context(serving(app, name, authority, address, HTTPS_PORTS[name]))
        for name, app, address in (
            ("proxmox", api(cluster, credentials.proxmox_api_token, power), str(proxmox.hostname)),
            (
                "cloudflare",
                cloudflare.api_of(flare, credentials.cloudflare_api_token),
                Site.CLOUDFLARE.address,
            ),
        )
    )
    return endpoints(
        proxmox=pve,
        cloudflare=zones,
        authority=authority.certificate,
        release=_release(),
        application={"digest": images.digest()} if images.there() else {},
    )


def _release() -> Mapping[str, object]:
    """Return where K3s comes from; a lab whose hosts are records needs none."""
    try:
        return release().settings()
    except FileNotFoundError:
        return NO_RELEASE


def authority_folder(place: Place) -> Path:
    """Return where the lab's certificates are."""
    return place.folder / "authority"


def _group(place: Place) -> Cgroup:
    return Cgroup(f"{place.cgroup}/_services")


def _ready(place: Place) -> Path:
    return place.folder / "services.json"


def _log(place: Place) -> Path:
    return place.folder / "services.log"


def _found(place: Place) -> dict[str, object] | None:
    try:
        document: dict[str, object] = json.loads(_ready(place).read_text())
    except FileNotFoundError:
        return None
    return document


def _overlay(found: dict[str, object]) -> Overlay:
    overlay: Overlay = found["overlay"]  # type: ignore[assignment]  # as it was written above
    return overlay


def _code() -> str:
    """Return a digest of the lab's own code: services that run older code are replaced."""
    digest = hashlib.sha256()
    for file in sorted((ROOT / "lab").rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
