"""Set a stack's secrets and pin its identities: ``make secrets stack=production``.

It explains what each token must be able to do, reads it without echo, hands it to the engine on
standard input (never among arguments), and then asks each API who it is, so that the stack file
names the host, the account and the project that the fingerprint guard will insist on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from getpass import getpass
from urllib.parse import urlsplit

from components.guard import project_marker
from components.https import ApiError, JsonApi, WrongCertificateError
from components.sections import UNPINNED, Cloudflare, Hetzner, Proxmox
from components.settings import PROJECT
from ops.stack_files import StackFile

EXPLAINED: Mapping[str, str] = {
    "proxmox_api_token": (
        "Proxmox API token, as user@realm!id=uuid. Create it under Datacenter > Permissions >\n"
        "API Tokens; it needs on /: VM.Allocate, VM.Audit, VM.Config.*, VM.Migrate, VM.PowerMgmt,\n"
        "VM.Snapshot, VM.Snapshot.Rollback, Datastore.*, Pool.Allocate, Pool.Audit, SDN.Use,\n"
        "Sys.Audit and Sys.Modify (downloads the Debian image)."
    ),
    "cloudflare_api_token": (
        "Cloudflare API token for this environment's zone only. It needs Zone:Read, DNS:Edit,\n"
        "Cloudflare Tunnel:Edit, Access:Edit and Workers R2 Storage:Edit."
    ),
    "proxmox_fencing_token": (
        "Another Proxmox API token, which every database machine has: of a user of its own, with\n"
        "VM.Audit and VM.PowerMgmt on /vms/ID of each database machine, and nothing else. With it\n"
        "a leader that falls silent is powered off and succeeded in seconds; without, after 20."
    ),
    "hcloud_token": (
        "Hetzner Cloud API token (Read & Write) of this environment's project:\n"
        "Console > project > Security > API tokens."
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Who answers: the terminal, or a test."""

    secret: Callable[[str], str]
    agrees: Callable[[str], bool]
    hears: Callable[[str], None]


def set_up(file: StackFile, person: Person) -> None:
    """Ask for the stack's tokens, then pin what they open."""
    platform_token = {"proxmox": "proxmox_api_token", "hetzner": "hcloud_token"}[file.platform()]
    names = [platform_token, "cloudflare_api_token"]
    if file.platform() == "proxmox" and "fencing" in file.section("database"):
        names.append("proxmox_fencing_token")
    tokens = {name: _ask(name, file, person) for name in names}
    if file.platform() == "proxmox":
        _pin_proxmox(file, person)
    else:
        _mark_hetzner(file, person, tokens["hcloud_token"])
    _pin_cloudflare(file, person, tokens["cloudflare_api_token"])


def _ask(name: str, file: StackFile, person: Person) -> str:
    person.hears(f"\n{name}\n{EXPLAINED[name]}")
    value = person.secret("  value (not shown; empty keeps what is set): ").strip()
    if value:
        file.set_secret(name, value)
        person.hears("  kept, encrypted in the stack file")
    return value


def _pin_proxmox(file: StackFile, person: Person) -> None:
    wanted = Proxmox.model_validate(file.section("proxmox"))
    url = urlsplit(str(wanted.endpoint))
    try:
        # No fingerprint equals this word, so what is presented is told and nothing is sent.
        with JsonApi(f"https://{url.netloc}", headers={}, fingerprint=UNPINNED):
            return
    except WrongCertificateError as error:
        presented = error.presented
    except ApiError as error:
        person.hears(f"\nProxmox: {error}; its fingerprint stays {wanted.fingerprint}")
        return
    if presented == wanted.fingerprint:
        person.hears(f"\nProxmox at {url.netloc} is the pinned one")
        return
    person.hears(
        f"\nProxmox at {url.netloc} presents the certificate\n  {presented}\n"
        f"The stack file says\n  {wanted.fingerprint}\n"
        "Compare it at the host itself: pvenode cert info"
    )
    if person.agrees("Is this your host?"):
        file.pin("proxmox.fingerprint", presented)


def _pin_cloudflare(file: StackFile, person: Person, token: str) -> None:
    if not token:
        return
    wanted = Cloudflare.model_validate(file.section("cloudflare"))
    domain = file.section("environment")["domain"]
    for path, value, name in _cloudflare_identities(wanted, domain, token, person):
        if getattr(wanted, path) == value:
            continue
        person.hears(
            f"\nCloudflare {path} of {domain}: {value} ({name}); now {getattr(wanted, path)}"
        )
        if person.agrees("Is this yours?"):
            file.pin(f"cloudflare.{path}", value)


def _cloudflare_identities(
    wanted: Cloudflare, domain: str, token: str, person: Person
) -> Iterator[tuple[str, str, str]]:
    try:
        with JsonApi(str(wanted.endpoint), headers={"Authorization": f"Bearer {token}"}) as api:
            document = api.get(f"/zones?name={domain}")
    except ApiError as error:
        person.hears(f"\nCloudflare: {error}; its ids stay as they are")
        return
    zones = document.get("result") if isinstance(document, dict) else None
    for zone in zones or []:
        yield "zone_id", zone["id"], zone["name"]
        yield "account_id", zone["account"]["id"], zone["account"]["name"]


def _mark_hetzner(file: StackFile, person: Person, token: str) -> None:
    if not token:
        return
    wanted = Hetzner.model_validate(file.section("hetzner"))
    marker = project_marker(wanted.project)
    headers = {"Authorization": f"Bearer {token}"}
    try:
        with JsonApi(str(wanted.endpoint), headers=headers) as api:
            found = api.get(f"/placement_groups?name={marker}")
            if isinstance(found, dict) and found.get("placement_groups"):
                person.hears(f"\nThe token's Hetzner project is {wanted.project}")
            elif person.agrees(f"\nMark the token's project as {wanted.project} ({marker})?"):
                api.call("POST", "/placement_groups", {"name": marker, "type": "spread"})
    except ApiError as error:
        person.hears(f"\nHetzner: {error}; the project was not marked")


def _agrees(question: str) -> bool:
    return input(f"{question} [y/N] ").strip().lower() == "y"


def main() -> None:
    """Run at a terminal for the stack that is named."""
    if len(sys.argv) != 2 or not (PROJECT / f"Pulumi.{sys.argv[1]}.yaml").exists():  # noqa: PLR2004
        raise SystemExit("usage: make secrets stack=testing|production")
    if not sys.stdin.isatty():
        raise SystemExit("make secrets asks questions: run it at a terminal")
    person = Person(secret=getpass, agrees=_agrees, hears=print)
    set_up(StackFile(project=PROJECT, stack=sys.argv[1]), person)


if __name__ == "__main__":
    main()
