"""Manifests that others publish, taken by their checksum from wherever they are."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pulumi
import yaml

from .sections import PublishedManifest

SECONDS = 20
Manifest = Mapping[str, Any]


_FIRST = ("Namespace", "CustomResourceDefinition")
_LAST = ("Deployment", "DaemonSet")


def staged(objects: Iterable[Manifest], left_out: Collection[str]) -> list[list[dict[str, Any]]]:
    """Return objects without what is the server's, in the order in which they need each other."""
    wanted = [_ours(body) for body in objects if body["kind"] not in left_out]
    ends = {*_FIRST, *_LAST}
    return [
        *([body for body in wanted if body["kind"] == kind] for kind in _FIRST),
        [body for body in wanted if body["kind"] not in ends],
        [body for body in wanted if body["kind"] in _LAST],
    ]


def _ours(body: Manifest) -> dict[str, Any]:
    ours = deepcopy({key: value for key, value in body.items() if key != "status"})
    ours["metadata"].pop("creationTimestamp", None)
    return ours


def manifests(wanted: PublishedManifest) -> list[Manifest]:
    """Return the objects of a published file; one that was fetched once is kept."""
    kept = Path.home() / ".cache" / "coldstorage" / "manifests" / f"{wanted.sha256}.yaml"
    local = Path(wanted.place) if wanted.place.startswith("/") else kept
    content = local.read_bytes() if local.exists() else _fetched(wanted.place)
    found = hashlib.sha256(content).hexdigest()
    if found != wanted.sha256:
        raise pulumi.RunError(f"{wanted.place}: expected sha256 {wanted.sha256}, got {found}")
    if local == kept and not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        new = kept.with_suffix(f".{os.getpid()}")
        new.write_bytes(content)
        new.replace(kept)
    return [document for document in yaml.load_all(content, yaml.CSafeLoader) if document]


def _fetched(place: str) -> bytes:
    try:
        with urlopen(place, timeout=SECONDS) as answer:  # noqa: S310 - settings allow https alone
            content: bytes = answer.read()
    except (OSError, ValueError) as error:
        raise pulumi.RunError(f"{place}: can't be fetched: {error}") from None
    return content
