"""Written permissions to lose something, each for one resource, with a reason and an end.

`waivers.yaml` is a list; what it says is reviewed with the change that needs it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from components.explain import explain
from components.faults import key

LONGEST = timedelta(days=30)
"""For how long one holds: a permission that stays is no permission for one change."""


class Waiver(BaseModel):
    """Who lets one resource go, why, and until when."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    urn: Annotated[str, Field(pattern=r"^urn:pulumi:[^:]+::coldstorage::.+::[^:]+$")]
    reason: Annotated[str, Field(min_length=10, max_length=500)]
    author: Annotated[str, Field(min_length=2, max_length=100)]
    expires: date
    """The last day on which it holds."""


class WaiversError(ValueError):
    """The file is not valid; the message names every fault."""


def load(file: Path, today: date) -> Mapping[str, Waiver]:
    """Return the waivers by URN; none where there is no file."""
    entries = yaml.safe_load(file.read_text()) or [] if file.exists() else []
    if not isinstance(entries, list):
        raise WaiversError(f"{file.name}: is not valid; expected a list of waivers")
    adapter: TypeAdapter[object] = TypeAdapter(Waiver)
    waivers: dict[str, Waiver] = {}
    faults = []
    for number, entry in enumerate(entries):
        where = f"{file.name}[{number}]"
        try:
            waiver = cast("Waiver", adapter.validate_json(json.dumps(entry, default=str)))
        except ValidationError as error:
            faults += [
                f"{where}{key(*f.path).removeprefix('coldstorage:')}: {f.wrong}; expected"
                f" {f.expected}"
                for f in explain(("",), adapter, error)
            ]
            continue
        faults += [f"{where}: {fault}" for fault in _wrong(waiver, waivers, today)]
        waivers[waiver.urn] = waiver
    if faults:
        raise WaiversError("\n".join(faults))
    return waivers


def _wrong(waiver: Waiver, before: Mapping[str, Waiver], today: date) -> list[str]:
    faults = []
    if waiver.expires < today:
        faults.append(f"expired on {waiver.expires}: remove it, or ask anew")
    if waiver.expires > today + LONGEST:
        faults.append(f"expires on {waiver.expires}; expected {today + LONGEST} at the latest")
    if waiver.urn in before:
        faults.append(f"is the second for {waiver.urn}")
    return faults
