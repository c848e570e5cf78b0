"""The fingerprint guard: the host, account, zone and project must be the ones the stack names.

It asks before any resource is registered, so a token or an endpoint of the wrong environment
is refused by name while nothing has been touched. A host is known by its certificate, a
Cloudflare zone and its account by their ids, a Hetzner project, which has no readable identity,
by a placement group that carries its name and costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pulumi

from .https import ApiError, JsonApi, WrongCertificateError
from .proxmox_api import ProxmoxApi
from .sections import UNPINNED, Cloudflare, Hetzner, Platform, Proxmox
from .settings import Settings
from .tokens import Tokens


class GuardError(pulumi.RunError):
    """The stack would change something that it does not name."""


def check(settings: Settings, tokens: Tokens) -> None:
    """Raise one :class:`GuardError` that names all that isn't what the stack says."""
    questions: list[Callable[[], Iterator[str]]] = [
        partial(_cloudflare, settings.cloudflare, settings.environment.domain, tokens.cloudflare)
    ]
    if settings.platform is Platform.PROXMOX and settings.proxmox:
        questions.append(partial(_proxmox, settings.proxmox, tokens.proxmox))
    if settings.platform is Platform.HETZNER and settings.hetzner:
        questions.append(partial(_hetzner, settings.hetzner, tokens.hcloud))

    with ThreadPoolExecutor(len(questions)) as pool:
        faults = [
            fault for faults in pool.map(lambda ask: list(ask()), questions) for fault in faults
        ]
    if faults:
        lines = "\n".join(f"  {fault}" for fault in sorted(faults))
        raise GuardError(
            f"stack {settings.stack} is not allowed to go on; nothing was touched:\n{lines}"
        )


def _proxmox(wanted: Proxmox, token: str) -> Iterator[str]:
    endpoint, key = str(wanted.endpoint), "coldstorage:proxmox"
    try:
        with ProxmoxApi(endpoint, token=token, fingerprint=wanted.fingerprint) as api:
            missing = wanted.nodes.keys() - api.nodes()
            if not api.firewall_is_on():
                pulumi.log.warn(
                    f"the firewall of the cluster at {endpoint} is off, so the rules of its "
                    "machines do nothing; turn it on under Datacenter > Firewall > Options, with "
                    "a rule that lets you in"
                )
    except WrongCertificateError as error:
        if wanted.fingerprint == UNPINNED:
            yield (
                f"{key}.fingerprint: unpinned, but {endpoint} presents {error.presented}; compare "
                "it at the host with `pvenode cert info`, then `make secrets` writes it down"
            )
        else:
            yield (
                f"{key}.fingerprint: {error}; another host answers, or its certificate was "
                "renewed: compare at the host with `pvenode cert info`"
            )
    except ApiError as error:
        yield f"{key}.endpoint: {error}; expected the Proxmox API and a token that it accepts"
    else:
        for node in sorted(missing):
            yield f"{key}.nodes.{node}: the cluster at {endpoint} has no such node"


def _cloudflare(wanted: Cloudflare, domain: str, token: str) -> Iterator[str]:
    key = "coldstorage:cloudflare"
    try:
        zones = _ask(str(wanted.endpoint), f"/zones?name={domain}", token).get("result")
    except ApiError as error:
        yield f"{key}.endpoint: {error}; expected a token that may read the zone {domain}"
        return
    if not isinstance(zones, list) or len(zones) != 1:
        yield f"{key}.zone_id: the token sees no zone {domain}; is it the other environment's?"
        return
    seen = {"zone_id": zones[0]["id"], "account_id": zones[0]["account"]["id"]}
    for name, value in seen.items():
        pinned = getattr(wanted, name)
        if pinned == UNPINNED:
            yield f"{key}.{name}: unpinned, but {domain} has {value}; `make secrets` writes it down"
        elif pinned != value:
            yield f"{key}.{name}: {domain} has {value}, expected {pinned}; the token is another's"


def _hetzner(wanted: Hetzner, token: str) -> Iterator[str]:
    key, marker = "coldstorage:hetzner", project_marker(wanted.project)
    try:
        groups = _ask(str(wanted.endpoint), f"/placement_groups?name={marker}", token)
    except ApiError as error:
        yield f"{key}.endpoint: {error}; expected the Hetzner API and a token that it accepts"
        return
    if not groups.get("placement_groups"):
        yield (
            f"{key}.project: the token's project holds no placement group {marker}, so it is not "
            f"proven to be {wanted.project}; `make secrets` creates it once, after asking you"
        )


def project_marker(project: str) -> str:
    """Return the name of the placement group by which a Hetzner project is known."""
    return f"project-{project}"


def _ask(endpoint: str, path: str, token: str) -> dict[str, object]:
    with JsonApi(endpoint, headers={"Authorization": f"Bearer {token}"}) as api:
        document = api.get(path)
    if not isinstance(document, dict):
        raise ApiError(f"{endpoint} answered {path} with no JSON object")
    return document
