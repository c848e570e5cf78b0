"""Decides for each tool whether it is there already, and else asks one source after another."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass

from .cache import Cache, Stamp
from .gobuild import build_cache
from .sources import Say, Source
from .tool import SourceError, Tool

ABSENT = "absent"


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What became of one tool."""

    tool: Tool
    stamp: Stamp | None
    """Nothing if no source was left."""
    fresh: bool = False
    """It was put in place by this run."""
    failures: tuple[tuple[str, str], ...] = ()
    """Each source that was tried in vain, and why."""


def already_there(tool: Tool, sources: Sequence[Source], cache: Cache) -> Stamp | None:
    """Return the record of a tool that needs nothing done: right version, recipe and content."""
    stamp = cache.stamp(tool.name)
    if stamp is None or stamp.version != tool.version:
        return None
    known = [source for source in sources if source.name == stamp.source and source.offers(tool)]
    if not known or known[0].recipe(tool) != stamp.recipe or not cache.intact(stamp):
        return None
    return stamp


def obtain_all(
    tools: Sequence[Tool],
    sources: Sequence[Source],
    cache: Cache,
    say: Say,
    *,
    again: bool = False,
) -> list[Result]:
    """Obtain every tool, each on its own; a failure never keeps another tool from being tried.

    With `again`, sources better than the one that a tool came from are tried once more.
    """
    try:
        return [_obtain(tool, sources, cache, say, again=again) for tool in tools]
    finally:
        shutil.rmtree(build_cache(cache), ignore_errors=True)


def _obtain(
    tool: Tool, sources: Sequence[Source], cache: Cache, say: Say, *, again: bool
) -> Result:
    there = already_there(tool, sources, cache)
    if not again and (there or _given_up(tool, cache)):
        return Result(tool=tool, stamp=there)
    failures: list[tuple[str, str]] = []
    for source in sources:
        if there and there.source == source.name:
            return Result(tool=tool, stamp=there, failures=tuple(failures))
        if not source.offers(tool):
            continue
        try:
            stamp = _take(tool, source, cache, say)
        except SourceError as error:
            say(f"{tool.name}: not {source.name}: {error}")
            failures.append((source.name, str(error)))
            continue
        say(f"{tool.name} {tool.version}: {source.name}, {stamp.seconds:.1f} s")
        return Result(tool=tool, stamp=stamp, fresh=True, failures=tuple(failures))
    if tool.only_for:
        cache.record(tool.name, _absent(tool))
    return Result(tool=tool, stamp=None, failures=tuple(failures))


def _absent(tool: Tool) -> Stamp:
    return Stamp(version=tool.version, source=ABSENT, recipe=repr(tool), seconds=0.0, files={})


def _given_up(tool: Tool, cache: Cache) -> bool:
    """Tell whether an optional tool could not be had before: asking takes time at every run."""
    return bool(tool.only_for) and cache.stamp(tool.name) == _absent(tool)


def _take(tool: Tool, source: Source, cache: Cache, say: Say) -> Stamp:
    started, before = time.monotonic(), cache.stamp(tool.name)
    with cache.staging() as staging:
        # Read before it is used: a source edited during the build asks for another.
        recipe = source.recipe(tool)
        files = source.obtain(tool, staging, lambda text: say(f"{tool.name}: {text}"))
        fingerprints = cache.place(files)
    stamp = Stamp(
        version=tool.version,
        source=source.name,
        recipe=recipe,
        seconds=round(time.monotonic() - started, 1),
        files=fingerprints,
    )
    cache.record(tool.name, stamp)
    if before:
        cache.remove(set(before.files) - set(files))
    return stamp
