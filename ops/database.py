"""What is done to the database tier on its second day: one command each, over SSH.

    python -m ops.database testing status
    python -m ops.database testing switchover [db-node2]
    python -m ops.database testing restart db-node3
    python -m ops.database testing restore-to "2026-11-20 10:15:00+00"
    python -m ops.database testing rotate owner
    python -m ops.database testing upgrade-plan 18

Each proves first that it may, and waits until the tier is well again. It may be killed at any time:
what hands over or restores is a unit of the machine and goes on to its end without it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from components.settings import PROJECT
from ops import rotation, upgrade_plan
from ops.reach import FailedError, Machine
from ops.tier import PATIENCE, PATRONI, Tier, tier_of

BEST = "best"
RESTORED = "/var/lib/postgresql/restored"
_UPGRADE = (
    "DEBIAN_FRONTEND=noninteractive apt-get -q update &&"
    " DEBIAN_FRONTEND=noninteractive apt-get -q --yes --only-upgrade"
    " -o Dpkg::Options::=--force-confold install $(dpkg-query --show --showformat='${Package}\\n'"
    " | grep -E '^(postgresql|patroni|etcd|pgbouncer|pgbackrest|keepalived|redis|python3-)')"
)


def status(tier: Tier) -> None:
    """Print the members, and what each machine's units say."""
    for name, member in sorted(tier.members().items()):
        lag = member.get("Lag in MB", "-")
        print(f"{name:<12} {member['Role']:<15} {member['State']:<12} lag {lag} MB")
    for machine in tier.machines.values():
        try:
            failed = machine.run(
                "systemctl list-units --failed --plain --no-legend | cut -d' ' -f1"
            )
            print(f"{machine.name:<12} {'failed: ' + ' '.join(failed.split()) if failed else 'ok'}")
        except FailedError as error:
            print(f"{machine.name:<12} {error}")


def switchover(tier: Tier, to: str = BEST) -> float:
    """Have another lead; return the seconds it took. The pooler runs again however it ends."""
    leader = tier.leader()
    if leader is None:
        raise FailedError("nobody leads: a switchover needs one; see `failover`")
    if to not in (BEST, *tier.machines):
        tier.named(to)
    unit = f"database-switchover@{to}.service"
    began = time.monotonic()
    try:
        leader.run(f"systemctl start {unit}")
    except FailedError as error:
        why = leader.run(f"journalctl --unit={unit} --lines=8 --output=cat --no-pager")
        raise FailedError(f"{error}\n{why}") from None
    finally:
        tier.wait(
            f"{leader.name}: the pooler does not run",
            lambda: "active" in leader.run("systemctl is-active pgbouncer.service || true").split(),
        )
    handed = time.monotonic() - began
    tier.wait(f"the tier is not well, {tier.members()}", tier.well)
    now = tier.leader()
    if now is None or now.name == leader.name or to not in (BEST, now.name):
        raise FailedError(f"{now.name if now else 'nobody'} leads, expected {to}")
    print(f"{now.name} leads after {handed:.1f} s")
    return handed


def failover(tier: Tier, to: str) -> None:
    """Have a standby lead where nobody does, or where who leads can't be reached."""
    machine = tier.named(to)
    members = tier.members()
    leading = [n for n, m in members.items() if m["Role"] == "Leader" and m["State"] == "running"]
    if leading and leading[0] != to and _answers(tier.machines[leading[0]]):
        raise FailedError(f"{leading[0]} leads and answers: use `switchover {to}`")
    machine.run(f"{PATRONI} failover --candidate {to} --force")
    tier.wait(f"{to} does not lead", lambda: tier.members()[to]["Role"] == "Leader")
    print(f"{to} leads")


def backup(tier: Tier, kind: str) -> None:
    """Make a backup now, on the leader; the repository then says what there is."""
    leader = tier.leader()
    if leader is None:
        raise FailedError("nobody leads: there is nothing to make a backup of")
    leader.run(f"systemctl start database-backup@{kind}.service", seconds=7 * 3600)
    print(leader.run("cd /; runuser -u postgres -- pgbackrest info"))


def restart(tier: Tier, name: str, *, even_leader: bool = False) -> None:
    """Restart one machine's PostgreSQL; who leads hands over first, if that is wanted."""
    machine = tier.named(name)
    if not tier.well():
        raise FailedError(f"the tier is not well, nothing is restarted: {tier.members()}")
    leader = tier.leader()
    if leader is not None and leader.name == name:
        if not even_leader:
            raise FailedError(f"{name} leads: --leader hands over first")
        switchover(tier)
    _restart(machine)
    tier.wait("the tier is not well", tier.well)
    print(f"{name}: PostgreSQL was restarted")


def update(tier: Tier) -> None:
    """Install newer packages of this release, replicas first, the leader after it handed over."""
    one_by_one(tier, lambda machine: machine.run(_UPGRADE, seconds=900))


def one_by_one(tier: Tier, work: Callable[[Machine], object]) -> None:
    """Do something to each machine and restart its PostgreSQL; the tier is well in between."""
    if not tier.well():
        raise FailedError(f"the tier is not well, nothing is touched: {tier.members()}")
    for machine in tier.replicas_first():
        leader = tier.leader()
        if leader is machine:
            switchover(tier)
        work(machine)
        _restart(machine)
        tier.wait(f"{machine.name}: the tier is not well", tier.well)
        print(f"{machine.name}: done")


def restore_to(tier: Tier, moment: str, on: str | None, *, agreed: bool) -> None:
    """Open a copy of the cluster as of a moment beside a standby; the tier itself is untouched."""
    when = datetime.fromisoformat(moment)
    if when.tzinfo is None:
        raise FailedError(f"{moment}: say which time zone, as in 2026-11-20 10:15:00+00:00")
    machine = tier.named(on) if on else tier.replicas_first()[0]
    needed = machine.run("du -sm /var/lib/postgresql/17/main | cut -f1").strip()
    free = machine.run("df -m --output=avail /var/lib/postgresql | tail -1").strip()
    print(
        f"On {machine.name}, below {RESTORED}: about {needed} MiB, {free} MiB are free.\n"
        f"The newest backup before {when} is copied from the object store, the log is replayed up\n"
        "to that moment, and a PostgreSQL of its own opens on a socket in that folder."
    )
    if not agreed and input("Go on? [yes] ") != "yes":
        raise FailedError("nothing was done")
    began = time.monotonic()
    machine.run("systemctl stop database-restored.service 2>/dev/null || true")
    machine.run(
        "systemd-run --quiet --collect --unit=database-restored --uid=postgres"
        " --service-type=forking --property=TimeoutStartSec=12h --property=KillSignal=SIGINT"
        f" --property='ExecStopPost=/bin/rm -rf {RESTORED}'"
        f" /usr/local/bin/database-proof restored '{when.isoformat(sep=' ')}'"
        " || { journalctl --unit=database-restored --lines=8 --output=cat >&2; exit 1; }",
        seconds=12 * 3600,
    )
    print(
        f"open after {time.monotonic() - began:.1f} s. On {machine.name}, as root:\n"
        f"  look:     runuser -u postgres -- psql -h {RESTORED}/run DATABASE\n"
        f"  take:     runuser -u postgres -- pg_dump -h {RESTORED}/run -t TABLE DATABASE > FILE\n"
        "  throw it away: systemctl stop database-restored"
    )


def _restart(machine: Machine) -> None:
    machine.run(f"{PATRONI} restart $(sed -n 's/^scope: //p' /etc/patroni/config.yml)"
                f" {machine.name} --force", seconds=PATIENCE)  # fmt: skip
    machine.run("database-health --wait 60", seconds=PATIENCE)


def _answers(machine: Machine) -> bool:
    try:
        machine.run("database-health postgresql", seconds=10)
    except FailedError:
        return False
    return True


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = _parser().parse_args(arguments)
    try:
        with tier_of(options.stack, options.project) as tier:
            match options.what:
                case "status":
                    status(tier)
                case "switchover":
                    switchover(tier, options.to)
                case "failover":
                    failover(tier, options.to)
                case "backup":
                    backup(tier, options.kind)
                case "restart":
                    restart(tier, options.node, even_leader=options.leader)
                case "update":
                    update(tier)
                case "rotate":
                    rotation.rotate(
                        tier,
                        rotation.Pulumi(project=options.project, stack=options.stack),
                        options.secret,
                        {"use": rotation.USE, "renew": rotation.RENEW}.get(options.only),
                    )
                case "upgrade-plan":
                    found = upgrade_plan.look(tier, options.version)
                    print(upgrade_plan.plan(found, options.version))
                    sys.exit(bool(found.faults))
                case "restore-to":
                    restore_to(tier, options.moment, options.on, agreed=options.yes)
    except (FailedError, ValueError) as error:
        raise SystemExit(str(error)) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ops.database",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stack")
    parser.add_argument("--project", type=Path, default=PROJECT, help=argparse.SUPPRESS)
    what = parser.add_subparsers(dest="what", required=True)
    what.add_parser("status", help="who leads, who follows, what has failed")
    one = what.add_parser("switchover", help="have another lead, without an error for clients")
    one.add_argument("to", nargs="?", default=BEST)
    one = what.add_parser("failover", help="have a standby lead whose leader can't be reached")
    one.add_argument("to")
    one = what.add_parser("backup", help="make a backup now")
    one.add_argument("kind", nargs="?", default="full", choices=("full", "incr", "diff"))
    one = what.add_parser("restart", help="restart one PostgreSQL")
    one.add_argument("node")
    one.add_argument("--leader", action="store_true", help="if it leads, hand over first")
    what.add_parser("update", help="newer packages of this release, replicas first")
    one = what.add_parser("rotate", help="change a secret, without an error for clients")
    one.add_argument("secret", choices=rotation.SECRETS)
    one.add_argument("--only", choices=("use", "renew"), help="use the other, or renew the spare")
    one = what.add_parser("upgrade-plan", help="check and print the plan of a major upgrade")
    one.add_argument("version", type=int)
    one = what.add_parser("restore-to", help="open a copy as of a moment, beside a standby")
    one.add_argument("moment", help="with its time zone: 2026-11-20 10:15:00+00:00")
    one.add_argument("--on", help="the machine; a standby unless named")
    one.add_argument("--yes", action="store_true", help="do not ask")
    return parser


if __name__ == "__main__":
    sys.stdout = os.fdopen(sys.stdout.fileno(), "w", buffering=1)
    main()
