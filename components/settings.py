"""The one typed view of a stack file: read, checked whole, and final.

The engine hands over every key of the file in an environment variable: sections as JSON, scalars
as they are, secrets in the clear beside a list of their names. It sorts keys; the file itself
tells their order.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import MISSING, dataclass, fields
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, get_type_hints

import pulumi
import yaml
from pulumi.runtime import is_config_secret
from pulumi.runtime.config import CONFIG

from .certificates_section import Certificates
from .faults import NAMESPACE, Fault, SettingsError, in_file_order, stack_file
from .monitoring_section import Monitoring
from .parsing import Raw, parse_sections
from .rules import FAULTS, WARNINGS
from .rules.neighbours import Neighbour
from .rules.rule import broken
from .sections import (
    Access,
    Application,
    Backups,
    Cloudflare,
    Database,
    Environment,
    Hetzner,
    Kubernetes,
    Machines,
    Network,
    Platform,
    Proxmox,
    Redis,
    Role,
    Share,
)

PROJECT = Path(__file__).resolve().parent.parent
"""The folder that holds the stack files."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything that one stack file says, except its secrets."""

    stack: str
    environment: Environment
    platform: Platform
    proxmox: Proxmox | None = None
    hetzner: Hetzner | None = None
    network: Network
    access: Access
    machines: Machines
    kubernetes: Kubernetes
    database: Database | None = None
    redis: Redis | None = None
    cloudflare: Cloudflare
    application: Application
    certificates: Certificates | None = None
    monitoring: Monitoring
    backups: Backups
    share: Share
    warnings: tuple[Fault, ...] = ()
    """What is allowed, yet better changed."""

    @property
    def api_address(self) -> IPv4Address:
        """Where the Kubernetes API is reached: at its own address, else at the first K3s server."""
        servers = (m.address for m in self.machines.values() if m.role is Role.K3S_SERVER)
        return self.network.api_address or next(servers)


def section_types() -> dict[str, Any]:
    """Return the type of every section by its key."""
    hints = get_type_hints(Settings, include_extras=True)
    return {name: hint for name, hint in hints.items() if name not in {"stack", "warnings"}}


def required_sections() -> list[str]:
    """Return the keys of the sections without which nothing can be built."""
    optional = {field.name for field in fields(Settings) if field.default is not MISSING}
    return [name for name in section_types() if name not in optional]


def load(folder: Path = PROJECT) -> Settings:
    """Return the settings that the engine gave this run, and log what they warn of."""
    stack = pulumi.get_stack()
    files = {
        path.name.removeprefix("Pulumi.").removesuffix(".yaml"): read(path)
        for path in sorted(folder.glob(stack_file("*")))
    }
    raw = _like(files.pop(stack, {}), _given())
    secret_keys = {name for name in raw if is_config_secret(f"{NAMESPACE}:{name}")}
    settings = parse(stack, raw, secret_keys, files)
    for warning in settings.warnings:
        pulumi.log.warn(str(warning))
    return settings


def read(path: Path) -> Raw:
    """Return what a stack file holds for this project."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise pulumi.RunError(f"{path.name} is not YAML: {error}") from None
    return _ours(content.get("config") or {})


def parse(
    stack: str, raw: Raw, secret_keys: Collection[str], neighbours: Mapping[str, Raw]
) -> Settings:
    """Return the settings that ``raw`` holds, or raise one error that tells all its faults."""
    readable = {name: value for name, value in raw.items() if name not in secret_keys}
    parsed, faults = parse_sections(section_types(), readable)
    known = {
        **_facts(parsed, readable),
        "present": raw,
        "secret_keys": secret_keys,
        "sections": list(section_types()),
        "required": required_sections(),
    }
    known |= _surroundings(known, neighbours)
    broken_rules = list(broken(FAULTS, known))
    # What a rule says of a key is more to the point than what its type says.
    told = {fault.path for fault in broken_rules}
    found = [fault for fault in faults if fault.path not in told] + broken_rules
    if found:
        raise SettingsError(stack, in_file_order(found, raw))
    warnings = in_file_order(broken(WARNINGS, known), raw)
    return Settings(stack=stack, **parsed, warnings=tuple(warnings))


def _given() -> Raw:
    """Return what the engine gave; what is no JSON stays the text that it is."""
    return {name: _decoded(value) for name, value in _ours(CONFIG.get()).items()}


def _ours(config: Raw) -> Raw:
    prefix = f"{NAMESPACE}:"
    return {k.removeprefix(prefix): v for k, v in config.items() if k.startswith(prefix)}


def _decoded(value: object) -> object:
    try:
        return json.loads(str(value))
    except ValueError:
        return value


def _like(model: Raw, raw: Raw) -> Raw:
    """Return ``raw`` with its keys in the order of ``model``, at every depth."""
    ordered = [key for key in model if key in raw] + [key for key in raw if key not in model]
    return {key: _inside(model.get(key), raw[key]) for key in ordered}


def _inside(model: object, value: object) -> object:
    if isinstance(model, Mapping) and isinstance(value, Mapping):
        return _like(model, value)
    return value


def _facts(parsed: Mapping[str, Any], raw: Raw) -> dict[str, Any]:
    """Return what rules may ask for by name: sections that are valid and of this platform."""
    facts = {name: value for name, value in parsed.items() if value is not None}
    for platform in Platform:
        if facts.get("platform") is not platform:
            facts.pop(platform, None)
    machines, written = parsed.get("machines"), raw.get("machines")
    # Who counts machines must see all of them, else one bad address would cost a quorum too.
    if machines is not None and isinstance(written, Mapping) and len(machines) == len(written):
        facts["all_machines"] = machines
    return facts


def _surroundings(known: Mapping[str, Any], files: Mapping[str, Raw]) -> dict[str, Any]:
    """Return the stacks beside this one, and which of them are on its Proxmox host."""
    neighbours = tuple(_neighbour(stack, raw) for stack, raw in files.items())
    if "proxmox" not in known or "network" not in known:
        return {"neighbours": neighbours}
    ours = known["proxmox"], known["network"]
    return {
        "neighbours": neighbours,
        "same_host": tuple(other for other in neighbours if other.shares_host(*ours)),
    }


def _neighbour(stack: str, raw: Raw) -> Neighbour:
    compared = {field.name for field in fields(Neighbour)}
    types = {name: kind for name, kind in section_types().items() if name in compared}
    parsed, faults = parse_sections(types, raw)
    return Neighbour(stack=stack, **parsed, faults=tuple(faults))
