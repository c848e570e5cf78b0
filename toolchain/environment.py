"""The environment in which the tools work, for a shell or a Makefile."""

from __future__ import annotations

import json
import shlex

from .cache import Cache


def note_network(cache: Cache, closed: str | None) -> None:
    """Record for later calls of :func:`exports` whether this machine can download."""
    cache.write(cache.root / "network.json", {"closed": closed})


def variables(cache: Cache) -> dict[str, str]:
    """Return what the tools read, PATH aside."""
    values = {
        "PULUMI_HOME": str(cache.pulumi_home),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    if _closed(cache):
        # Else every run tries to download each plugin that is not there.
        values["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
    return values


def exports(cache: Cache) -> str:
    """Return `export` lines; PATH keeps what the caller has behind the cache's own folder."""
    lines = [f'export PATH={shlex.quote(str(cache.bin))}:"$PATH"']
    lines += [f"export {name}={shlex.quote(value)}" for name, value in variables(cache).items()]
    return "\n".join(lines)


def _closed(cache: Cache) -> bool:
    try:
        return bool(json.loads((cache.root / "network.json").read_text())["closed"])
    except (OSError, ValueError, KeyError):
        return False
