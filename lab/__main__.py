"""``python -m lab preview [stack]``: run the program on the lab, and say how long it took."""

from __future__ import annotations

import sys
import time

from .project import default_home, running

COMMANDS = {
    "preview": ("preview",),
    "diff": ("preview", "--diff"),
}


def main() -> int:
    """Run one command of the engine on the lab, with its own output."""
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:  # noqa: PLR2004
        print(f"usage: python -m lab {'|'.join(COMMANDS)} [testing|production]", file=sys.stderr)
        return 2
    command, stack = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "testing"  # noqa: PLR2004
    started = time.monotonic()
    print(f"Lab of {stack}: an emulated Proxmox VE, whose machines are records (STAND-IN)")
    with running(stack) as lab:
        print(f"  project {lab.project}   {time.monotonic() - started:.1f} s")
        status = lab.show(*COMMANDS[command])
    print(
        f"{command} of {stack} took {time.monotonic() - started:.1f} s in all; nothing was created"
    )
    print(f"To look further: cd {default_home() / stack}")
    return status


if __name__ == "__main__":
    sys.exit(main())
