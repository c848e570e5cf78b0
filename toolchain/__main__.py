"""`python3 -m toolchain`: obtain every tool, or print how to use them."""

from __future__ import annotations

import argparse
import signal
import sys

from .cache import Cache
from .cluster import KUBERNETES, MINORS, MONITORING, REAL_K3S, cluster_tools
from .tool import Tool


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m toolchain", description=__doc__)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--env", action="store_true", help="print export lines for a shell")
    choice.add_argument(
        "--again",
        action="store_true",
        help="try once more for what is a stand-in, built here or not here",
    )
    choice.add_argument(
        "--cluster",
        nargs="?",
        const=KUBERNETES,
        choices=sorted(MINORS),
        help="obtain what the lab's Kubernetes is made of instead (six minutes and more)",
    )
    options = parser.parse_args(arguments)
    cache = Cache.of_this_user()
    if options.env:
        from .environment import exports  # noqa: PLC0415 — a shell waits for it

        print(exports(cache))
        return 0

    from .catalog import KUBERNETES_PLUGIN, TOOLS  # noqa: PLC0415
    from .run import run  # noqa: PLC0415 — slow, and not needed for --env

    # An ended run must end its compilers too, so it ends as an interrupted one does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        tools: tuple[Tool, ...] = TOOLS
        if options.cluster:
            obtained = (*REAL_K3S, *cluster_tools(options.cluster), *MONITORING)
            tools = (*obtained, KUBERNETES_PLUGIN)
        return run(cache, again=options.again, tools=tools)
    except KeyboardInterrupt:
        print("interrupted; run it again to go on", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
