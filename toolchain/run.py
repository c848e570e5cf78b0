"""One whole run of `python3 -m toolchain`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from . import environment, report
from .cache import Cache
from .catalog import TOOLS
from .gobuild import FromGo
from .network import Network
from .obtain import obtain_all
from .official import Official
from .sources import FromPath, Source
from .tool import Tool


def sources(cache: Cache, network: Network) -> list[Source]:
    """Return the sources, best first."""
    return [
        FromPath(cache),
        Official(cache, network),
        FromGo(name="Go module", field="module", cache=cache),
        FromGo(name=report.STANDIN, field="standin", cache=cache),
    ]


def run(
    cache: Cache,
    *,
    again: bool = False,
    tools: Sequence[Tool] = TOOLS,
    network: Network | None = None,
) -> int:
    """Obtain the tools, print what came of it and return the exit status."""
    network = network or Network()
    say = report.Progress()
    with cache.locked(lambda: say("another run is at work; waiting for it")):
        results = obtain_all(tools, sources(cache, network), cache, say, again=again)
        if any(result.fresh or result.failures for result in results):
            environment.note_network(cache, network.closed)
    print(report.table(results))
    for line in report.standins(results):
        print(line)
    faults = report.missing(results)
    print("\n".join(faults), file=sys.stderr, end="\n" if faults else "")
    return 1 if faults else 0
