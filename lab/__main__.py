"""``python -m lab COMMAND``: the platform on this computer, and what one does with it."""

from __future__ import annotations

import argparse
import os
import sys

from . import by_hand, down, preflight, status, up, visitor
from .checkout import ROOT, STACKS, home, place_of
from .machines import Network
from .machines.host import HostError
from .on_records import running
from .preflight import NotHereError


def main() -> int:
    """Run one command and return its exit code."""
    asked = _asked()
    try:
        return _run(asked)
    except (NotHereError, HostError, TimeoutError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    parser.add_argument("--stack", choices=STACKS, default="testing")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    whole = commands.add_parser("up", help="make the lab and the platform on it, or what misses")
    whole.add_argument("--bare", action="store_true", help="machines with nothing inside")
    commands.add_parser("can", help="say whether this computer can run the lab, and if not, why")
    gone = commands.add_parser("down", help="remove all of it: processes, networks, disks, state")
    gone.add_argument("--keep-disks", action="store_true", help="as if the power had gone")
    commands.add_parser("status", help="show machines and services")
    commands.add_parser("preview", help="show the plan of a stack on a Proxmox without machines")
    ssh = commands.add_parser("ssh", help="log in to a machine, or run a command there")
    ssh.add_argument("machine")
    ssh.add_argument("words", nargs=argparse.REMAINDER, metavar="command")
    inside = commands.add_parser("run", help="run a command inside the lab's network")
    inside.add_argument("words", nargs=argparse.REMAINDER, metavar="command")
    page = commands.add_parser("curl", help="ask for a page through Cloudflare's edge")
    page.add_argument("url")
    page.add_argument("--as", dest="email", help="log in first, with this address")
    engine = commands.add_parser("pulumi", help="run the engine on the lab's stack")
    engine.add_argument("words", nargs=argparse.REMAINDER, metavar="argument")
    ops = commands.add_parser("ops", help="what people do by hand: ops database status, ops drill")
    ops.add_argument("words", nargs=argparse.REMAINDER, metavar="argument")
    by_hand.add_commands(commands.add_parser("fault", help="hurt a machine or the network"))
    return parser.parse_args()


def _run(asked: argparse.Namespace) -> int:
    match asked.command:
        case "up":
            return up.up(asked.stack, bare=asked.bare)
        case "can":
            preflight.check(asked.stack)
        case "down":
            down.down(asked.stack, keep_disks=asked.keep_disks)
        case "status":
            status.print_all(asked.stack)
        case "preview":
            with running(asked.stack, home() / "records", hosts=None) as lab:
                return lab.show("preview")
        case "curl":
            return visitor.visit(asked.stack, asked.url, asked.email)
        case "fault":
            by_hand.act(asked.stack, asked)
        case "pulumi":
            return up.project_of(asked.stack).show(*asked.words)
        case "ops":
            project = up.project_of(asked.stack)
            os.environ |= project.variables
            os.chdir(ROOT)
            _become(project.ops(*asked.words))
        case "ssh":
            machine = by_hand.known(place_of(asked.stack), asked.machine)
            _become(machine.ssh_command(*asked.words))
        case "run":
            _become(Network(place_of(asked.stack)).command(*asked.words))
    return 0


def _become(command: list[str]) -> None:
    os.execvp(command[0], command)  # noqa: S606 - a person's own command, in their own terminal


if __name__ == "__main__":
    sys.exit(main())
