"""The K3s cluster by hand: how it is, what snapshots there are, and how it comes back from one.

    python -m ops.cluster STACK status
    python -m ops.cluster STACK snapshot
    python -m ops.cluster STACK snapshots
    python -m ops.cluster STACK restore [--on SERVER] [--snapshot NAME]
    python -m ops.cluster STACK hardening

Machines are reached as the state says. `restore` is for a cluster that has lost its quorum: what
was written after the snapshot is lost with it.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hosts.on_machine.k3s_snapshots import Snapshot, generation
from ops import hardening
from ops.reach import FailedError, Machine, UnreachableError, export_of, hosts_of, machines

DEPLOY = "hosts.k3s:k3s"
PROJECT = Path(__file__).resolve().parents[1]
RESTORE_SECONDS = 600
_TOKEN = "/etc/rancher/k3s/token"  # noqa: S105 - where it is


@dataclass(frozen=True, kw_only=True, slots=True)
class Servers:
    """The servers of one cluster."""

    machines: Mapping[str, Machine]
    unknown: tuple[str, ...] = ()
    """New machines that nobody has talked to yet: their keys are not known."""

    def named(self, name: str) -> Machine:
        """Return a server, or say which there are."""
        if name not in self.machines:
            raise FailedError(f"{name}: is no server; there are {[*self.machines]}")
        return self.machines[name]

    def reached(self) -> list[Machine]:
        """Return those whose machine answers, whatever K3s does there."""
        return [machine for machine in self.machines.values() if _answers(machine)]

    def serving(self) -> list[Machine]:
        """Return those that serve the cluster."""
        asked = "/usr/local/sbin/api-ready >/dev/null && echo yes || true"
        return [machine for machine in self.reached() if machine.run(asked).strip() == "yes"]


def status(servers: Servers) -> None:
    """Print the nodes, and what each server's units say."""
    serving = servers.serving()
    print(serving[0].run("k3s kubectl get nodes -o wide") if serving else "no server serves")
    for name, machine in servers.machines.items():
        try:
            failed = machine.run("systemctl list-units --failed --plain --no-legend")
            units = " ".join(line.split()[0] for line in failed.splitlines())
            print(f"{name:<12} {f'failed: {units}' if units else 'ok'}")
        except FailedError as error:
            print(f"{name:<12} {error}")


def take(servers: Servers) -> None:
    """Have a snapshot taken now, and see it in the store."""
    serving = servers.serving()
    if not serving:
        raise FailedError("no server serves: there is nothing to take a snapshot of")
    # Nothing is younger than no time at all.
    serving[0].run("/usr/local/sbin/k3s-snapshots keep -1", seconds=RESTORE_SECONDS)
    print(f"{serving[0].name}: {_newest(known(serving[0])).name}")


def known(machine: Machine) -> list[Snapshot]:
    """Return the snapshots that a server knows, the newest last."""
    told = json.loads(machine.run("/usr/local/sbin/k3s-snapshots list", seconds=120))
    found = [Snapshot(**snapshot) for snapshot in told]
    return sorted(found, key=lambda snapshot: (snapshot.seconds, snapshot.place == "store"))


def listing(servers: Servers) -> None:
    """Print what can be restored."""
    for snapshot in known(_any(servers)):
        when = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(snapshot.seconds))
        print(f"{when}  {snapshot.place:<6}  {snapshot.name}")


def restore(
    servers: Servers, on: str | None = None, snapshot: str | None = None, *, agreed: bool = False
) -> float:
    """Have the cluster again from a snapshot; return the seconds that it took."""
    if serving := servers.serving():
        raise FailedError(
            f"{serving[0].name} serves: the cluster lives. To go back all the same, stop K3s on "
            "every server first (systemctl stop k3s)"
        )
    founder = servers.named(on) if on else _any(servers)
    chosen = _chosen(founder, snapshot)
    others = [m for m in servers.reached() if m.name != founder.name]
    there = {founder.name, *_names(others)}
    lost = [name for name in (*servers.machines, *servers.unknown) if name not in there]
    when = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(chosen.seconds))
    print(
        f"{founder.name} becomes the only server, as of {when} ({chosen.name}, {chosen.place});\n"
        f"what was written later is lost. Then join: {', '.join(_names(others)) or 'nobody'}."
        f" Not reached: {', '.join(lost) or 'nobody'}"
    )
    if not agreed and input("Go on? [yes] ") != "yes":
        raise FailedError("nothing was done")
    began = time.monotonic()
    for machine in others:
        machine.run("systemctl stop k3s.service 2>/dev/null || true", seconds=120)
    words = shlex.join([chosen.place, chosen.name])
    founder.run(f"/usr/local/sbin/k3s-restore from {words}", seconds=RESTORE_SECONDS)
    took = time.monotonic() - began
    print(f"{founder.name} serves again after {took:.1f} s")
    missing = [*lost, *(m.name for m in others if not _joins(m, founder))]
    print(f"all after {time.monotonic() - began:.1f} s")
    if missing:
        print(f"`pulumi up` has these join as soon as their machines stand: {', '.join(missing)}")
    return took


def _joins(machine: Machine, founder: Machine) -> bool:
    """Have a survivor join; a machine that never was a server is left to the deploy."""
    if machine.run("test -e /etc/rancher/k3s/joined && echo yes || true").strip() != "yes":
        return False
    told = json.loads(machine.run("cat /etc/rancher/k3s/join.json"))
    address = told["servers"][founder.name]
    machine.run(f"/usr/local/sbin/k3s-restore join {address}", seconds=RESTORE_SECONDS)
    print(f"{machine.name} joined")
    return True


def _chosen(machine: Machine, name: str | None) -> Snapshot:
    """Return the snapshot to restore, which this server's token opens."""
    there = known(machine)
    if name:
        there = [snapshot for snapshot in there if snapshot.name == name]
    opened = f"{generation(machine.run(f'cat {_TOKEN}'))}-"
    ours = [snapshot for snapshot in there if snapshot.name.startswith(opened)]
    if there and not ours:
        raise FailedError(
            f"{_newest(there).name} needs the token of its generation; {machine.name} has "
            f"{opened.rstrip('-')}: write the token of then into {_TOKEN} first"
        )
    return _newest(ours, name)


def _newest(there: Sequence[Snapshot], name: str | None = None) -> Snapshot:
    if not there:
        raise FailedError(f"no snapshot {name}" if name else "there is no snapshot")
    return there[-1]


def _any(servers: Servers) -> Machine:
    """Return the first server whose K3s is installed."""
    for machine in servers.reached():
        if machine.run("test -x /usr/local/sbin/k3s-restore && echo yes || true").strip() == "yes":
            return machine
    raise FailedError(
        "no server can be reached that K3s is installed on: have `pulumi up` make machines; it "
        "installs K3s, founds nothing, and says so"
    )


def _names(there: Sequence[Machine]) -> list[str]:
    return [machine.name for machine in there]


def _answers(machine: Machine) -> bool:
    try:
        machine.run("true", seconds=20)
    except UnreachableError:
        return False
    return True


@contextmanager
def servers_of(stack: str, project: Path) -> Iterator[Servers]:
    """Have the servers of a stack within a block."""
    # Agents are of the same deploy; they depend on the servers, so they come later in the state.
    hosts, sudo = hosts_of(export_of(stack, project), DEPLOY)
    known = {name: ssh for name, ssh in hosts.items() if ssh.host_keys}
    with machines(known, sudo=sudo) as reached:
        yield Servers(machines=reached, unknown=tuple(sorted({*hosts} - {*known})))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = _parser().parse_args(arguments)
    try:
        if options.what == "hardening":
            raise SystemExit(hardening.of_stack(options.stack, options.project, DEPLOY))
        with servers_of(options.stack, options.project) as servers:
            match options.what:
                case "status":
                    status(servers)
                case "snapshot":
                    take(servers)
                case "snapshots":
                    listing(servers)
                case "restore":
                    restore(servers, options.on, options.snapshot, agreed=options.yes)
    except FailedError as error:
        raise SystemExit(str(error)) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ops.cluster",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stack")
    parser.add_argument("--project", type=Path, default=PROJECT, help=argparse.SUPPRESS)
    what = parser.add_subparsers(dest="what", required=True)
    what.add_parser("status", help="the nodes, and which units have failed")
    what.add_parser("snapshot", help="take a snapshot now, and see it in the store")
    what.add_parser("hardening", help="every control on every node; fails if one does")
    what.add_parser("snapshots", help="what can be restored")
    one = what.add_parser("restore", help="a lost cluster again from a snapshot")
    one.add_argument("--on", help="the server; the first that is reached unless named")
    one.add_argument("--snapshot", help="its name; the newest unless named")
    one.add_argument("--yes", action="store_true", help="do not ask")
    return parser


if __name__ == "__main__":
    sys.stdout = os.fdopen(sys.stdout.fileno(), "w", buffering=1)
    main()
