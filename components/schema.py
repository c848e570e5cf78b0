"""The JSON schema of a stack file, for editors: ``make generated``.

It comes from the models that check the file, so a hint in the editor and a message of the
program never differ. What two values must agree on only the program knows.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from pydantic import TypeAdapter

from .faults import NAMESPACE
from .rules.secrets import SECRETS
from .settings import required_sections, section_types

_SECRET = {
    "description": "A secret, encrypted; `make secrets` sets it.",
    "type": "object",
    "properties": {"secure": {"type": "string", "minLength": 1}},
    "required": ["secure"],
    "additionalProperties": False,
}
_BESIDES = {
    "encryptionsalt": {"description": "Of the passphrase; Pulumi writes it.", "type": "string"},
    "encryptedkey": {"description": "Of a cloud's key; Pulumi writes it.", "type": "string"},
    "environment": {"description": "Environments of Pulumi ESC to take values from."},
    "secretsprovider": {"description": "Who encrypts the secrets.", "type": "string"},
}


def stack_schema() -> dict[str, Any]:
    """Return the schema of a whole stack file."""
    sections, shared = TypeAdapter.json_schemas(
        [(name, "validation", TypeAdapter(kind)) for name, kind in section_types().items()]
    )
    keys = {name: schema for (name, _), schema in sections.items()} | dict.fromkeys(
        SECRETS, _SECRET
    )
    config = {
        "type": "object",
        "properties": {
            "pulumi:disable-default-providers": {
                "description": "Every provider is made by the program, from this file alone.",
                "const": ["*"],
            },
            **{f"{NAMESPACE}:{name}": schema for name, schema in keys.items()},
        },
        # What other programs keep here is theirs; a key of ours is known.
        "patternProperties": {f"^(?!{NAMESPACE}:)": True},
        "additionalProperties": False,
        "required": [
            "pulumi:disable-default-providers",
            *(f"{NAMESPACE}:{name}" for name in required_sections()),
        ],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A stack file of {NAMESPACE}",
        "type": "object",
        "properties": {"config": config, **_BESIDES},
        "required": ["config"],
        "additionalProperties": False,
        "$defs": shared["$defs"],
    }


def text() -> str:
    """Return the schema as the file that editors read."""
    return json.dumps(stack_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
