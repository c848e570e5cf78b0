"""The provider's schema, for SDKs of other languages and for ``pulumi package get-schema``."""

from __future__ import annotations

from typing import Any

from .wanted import TYPE

_TEXT, _FLAG, _NUMBER = {"type": "string"}, {"type": "boolean"}, {"type": "integer"}
_ANY_MAP = {"type": "object", "additionalProperties": {"$ref": "pulumi.json#/Any"}}


def schema() -> dict[str, Any]:
    """Return the package schema."""
    inputs: dict[str, Any] = {
        "deploy": _TEXT | {"description": "Import path, package.module:function."},
        "hosts": {
            "type": "object",
            "additionalProperties": {"$ref": "#/types/pyinfra:index:Host"},
        },
        "arguments": _ANY_MAP,
        "sudo": _FLAG,
        "rollout": {"$ref": "#/types/pyinfra:index:Rollout"},
        "leave": _TEXT,
        "gone": {"type": "array", "items": _TEXT},
        "onDelete": _TEXT,
    }
    outputs = {
        "applied": {"type": "object", "additionalProperties": _TEXT, "secret": True},
        "hostKeys": {"type": "object", "additionalProperties": _TEXT},
        "settled": {"type": "boolean"},
        "drift": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": _TEXT},
        },
        "sourceHash": _TEXT,
    }
    return {
        "name": "pyinfra",
        "displayName": "pyinfra",
        "description": "A pyinfra deploy on a group of hosts as a resource.",
        "provider": {},
        "resources": {
            TYPE: {
                "description": "A pyinfra deploy on a group of hosts.",
                "inputProperties": inputs,
                "requiredInputs": ["deploy", "hosts"],
                "properties": inputs | outputs,
                "required": ["deploy", "hosts", *outputs],
            }
        },
        "types": {
            "pyinfra:index:Host": {
                "type": "object",
                "properties": {
                    "connector": {
                        "oneOf": [
                            {"$ref": "#/types/pyinfra:index:Ssh"},
                            {"$ref": "#/types/pyinfra:index:Chroot"},
                            _TEXT,
                        ]
                    },
                    "arguments": _ANY_MAP,
                    "machine": _TEXT,
                },
                "required": ["connector"],
            },
            "pyinfra:index:Chroot": {
                "type": "object",
                "properties": {"chroot": _TEXT},
                "required": ["chroot"],
            },
            "pyinfra:index:Ssh": {
                "type": "object",
                "properties": {
                    "address": _TEXT,
                    "port": _NUMBER,
                    "user": _TEXT,
                    "privateKey": _TEXT | {"secret": True},
                    "hostKeys": {"type": "array", "items": _TEXT},
                    "bastion": {"$ref": "#/types/pyinfra:index:Ssh"},
                    "connectTimeout": {"type": "number"},
                    "connectAttempts": _NUMBER,
                },
                "required": ["address", "user", "privateKey"],
            },
            "pyinfra:index:Rollout": {
                "type": "object",
                "properties": {
                    "serial": _NUMBER,
                    "canary": _FLAG,
                    "togetherAtFirst": _FLAG,
                    "last": {"type": "array", "items": _TEXT},
                    "lastIf": _TEXT,
                    "probe": _TEXT,
                    "probeSeconds": _NUMBER,
                },
            },
        },
    }
