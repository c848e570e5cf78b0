"""Looks at this node: ``k3s-checks``, and ``k3s-checks --json`` for other programs.

A table of every control, and the exit status 1 if one fails. What the whole cluster is like is
looked at on servers alone.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from . import of_cluster, of_node, of_server
from .control import FAIL, Control, Files, Kernel, Result
from .seen import Seen, look

CONTROLS: tuple[Control, ...] = (
    *of_server.CONTROLS,
    *of_node.CONTROLS,
    *of_cluster.CONTROLS,
)


def main() -> None:
    """Look at this node and say what came of it."""
    checks = [control.check for control in CONTROLS]
    seen = look(
        [check.pattern for check in checks if isinstance(check, Files)],
        [check.name for check in checks if isinstance(check, Kernel)],
    )
    results = judged(seen)
    if "--json" in sys.argv[1:]:
        sys.stdout.write(json.dumps([asdict(result) for result in results]) + "\n")
        return
    for one in results:
        told = f"{one.outcome:<10}{one.number:<9}{one.title:<48} {one.why}"
        sys.stdout.write(told.rstrip() + "\n")
    wrong = sum(1 for result in results if result.outcome == FAIL)
    sys.stdout.write(f"{len(results)} controls, {wrong} failing\n")
    sys.exit(1 if wrong else 0)


def judged(seen: Seen) -> list[Result]:
    """Return what came of each control that a node of this kind has."""
    return [control.judge(seen) for control in CONTROLS if seen.server or control.on_agents]


if __name__ == "__main__":
    main()
