"""The repository's stack files as settings, without the engine and so without their secrets."""

from __future__ import annotations

from functools import cache

from components import settings
from components.settings import PROJECT, Settings

STACKS = tuple(sorted(path.name.split(".")[1] for path in PROJECT.glob("Pulumi.*.yaml")))

# Well-formed words in the place of secrets: rules ask whether they are there and encrypted.
SECRETS = {
    "proxmox_api_token": "nobody@pve!none=00000000-0000-0000-0000-000000000000",
    "cloudflare_api_token": "none",
    "hcloud_token": "none",
}


@cache
def settings_of(stack: str) -> Settings:
    """Return what a stack file says, or raise the error that tells its faults."""
    files = {name: settings.read(PROJECT / f"Pulumi.{name}.yaml") for name in STACKS}
    return settings.parse(stack, {**files.pop(stack), **SECRETS}, SECRETS.keys(), files)
