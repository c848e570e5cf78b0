"""kubeconform and kube-score, as the toolchain has them."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from toolchain.cache import Cache

from .rendered import Manifest
from .schemas import TEMPLATE

KUBERNETES = "v1.33"
PROGRAMS = ("kubeconform", "kube-score")
_FINE = 10
"""kube-score's best grade; 5 is a warning."""


def missing() -> list[str]:
    """Return which of the two could not be had; they are built by go, if by nobody."""
    return [name for name in PROGRAMS if not (Cache.of_this_user().bin / name).exists()]


NEEDED = pytest.mark.skipif(bool(missing()), reason=f"not there: {', '.join(missing())}")


def _asked(program: str, *words: str, objects: Iterable[Manifest]) -> str:
    """Return what a program says of objects."""
    path = Cache.of_this_user().bin / program
    text = "\n---\n".join(json.dumps(one) for one in objects)
    # Both end with a status that follows from what they answer.
    done = subprocess.run(
        [path, *words, "-"], input=text, capture_output=True, text=True, check=False
    )
    assert not done.stderr, done.stderr
    return done.stdout


def invalid(objects: Iterable[Manifest], schemas: Path) -> list[str]:
    """Return which objects are not as their kinds want them, and why."""
    given = list(objects)
    flags = ("-strict", "-verbose", "-output", "json", "-schema-location", f"{schemas}/{TEMPLATE}")
    told = json.loads(_asked("kubeconform", *flags, objects=given))["resources"]
    assert len(told) == len(given), "not every object was looked at"
    return [
        f"{one['kind']} {one['name']}: {one['msg']}"
        for one in told
        if one["status"] != "statusValid"
    ]


def findings(objects: Iterable[Manifest]) -> dict[str, set[str]]:
    """Return by check the names of objects that kube-score would have otherwise."""
    flags = ("score", "--output-format", "json", "--kubernetes-version", KUBERNETES)
    found: dict[str, set[str]] = defaultdict(set)
    for one in json.loads(_asked("kube-score", *flags, objects=objects)):
        for check in one["checks"]:
            if not check["skipped"] and check["grade"] < _FINE:
                found[check["check"]["id"]].add(one["object_name"])
    return dict(found)
