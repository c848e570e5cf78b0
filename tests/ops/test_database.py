"""What day-2 commands prove before they touch anything, and what they wait for."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from ops import database, drill, rotation
from ops.reach import FailedError, UnreachableError, hosts_of, machines
from ops.tier import Tier
from pulumi_pyinfra.protocol import Ssh

NAMES = ("a", "b", "c")


@dataclass
class Cluster:
    """Machines that answer as real ones do, and write down what they were told."""

    leader: str = "a"
    states: dict[str, str] = field(default_factory=lambda: dict.fromkeys(NAMES, "streaming"))
    silent: set[str] = field(default_factory=set)
    refuses: tuple[str, ...] = ()
    told: list[tuple[str, str]] = field(default_factory=list)
    reports: list[dict[str, object]] = field(default_factory=list)

    @property
    def tier(self) -> Tier:
        return Tier(machines={name: Answers(name, self) for name in NAMES})

    def answer(self, name: str, command: str) -> str:
        if name in self.silent:
            raise UnreachableError(f"{name}: no route")
        self.told.append((name, command))
        if any(word in command for word in self.refuses):
            raise FailedError(f"{name}: {command}: exit 1")
        if " list " in command:
            rows = [
                {"Member": n, "Role": "Leader" if n == self.leader else "Quorum Standby",
                 "State": "running" if n == self.leader else state}
                for n, state in self.states.items()
            ]  # fmt: skip
            return json.dumps(rows)
        if "database-switchover@" in command and "start" in command:
            to = command.rpartition("@")[2].removesuffix(".service")
            self.leader = next(n for n in NAMES if n != self.leader) if to == "best" else to
        if " failover " in command:
            self.leader = command.partition("--candidate ")[2].split()[0]
        if "is-active" in command:
            return "active\n"
        if "date" in command:
            return "100.0\n"
        if "drills" in command:
            return json.dumps(self.reports[-1]) if self.reports else ""
        return ""

    def did(self, word: str) -> list[str]:
        return [name for name, command in self.told if word in command]


@dataclass
class Answers:
    name: str
    cluster: Cluster

    def run(self, command: str, **_: object) -> str:
        return self.cluster.answer(self.name, command)


def test_a_switchover_is_a_unit_of_the_leader_and_the_pooler_is_seen_to_run_again():
    cluster = Cluster()
    database.switchover(cluster.tier, "c")

    assert cluster.leader == "c"
    assert cluster.did("start database-switchover@c.service") == ["a"]
    assert cluster.did("is-active pgbouncer") == ["a"]


def test_the_pooler_is_seen_to_run_also_when_a_switchover_fails():
    cluster = Cluster(refuses=("start database-switchover",))

    with pytest.raises(FailedError, match="exit 1"):
        database.switchover(cluster.tier)
    assert cluster.did("is-active pgbouncer") == ["a"]
    assert cluster.leader == "a"


def test_the_leader_is_restarted_only_if_that_is_said_and_after_it_handed_over():
    cluster = Cluster()

    with pytest.raises(FailedError, match="a leads: --leader"):
        database.restart(cluster.tier, "a")
    assert not cluster.did(" restart ")
    database.restart(cluster.tier, "a", even_leader=True)
    assert cluster.leader == "b"
    assert cluster.did(" restart ") == ["a"]


def test_nothing_is_restarted_where_a_machine_is_not_well():
    cluster = Cluster()
    cluster.states["c"] = "stopped"

    for work in (lambda t: database.restart(t, "b"), database.update):
        with pytest.raises(FailedError, match="not well"):
            work(cluster.tier)
    assert not cluster.did(" restart ")


def test_newer_packages_reach_the_replicas_first():
    cluster = Cluster(leader="b")
    order = []
    database.one_by_one(cluster.tier, lambda machine: order.append(machine.name))

    assert order[-1] == "b"
    assert sorted(order) == list(NAMES)
    assert cluster.did("start database-switchover@best") == ["b"]
    assert cluster.leader == "a"


def test_a_leader_that_answers_is_not_failed_over():
    cluster = Cluster()

    with pytest.raises(FailedError, match="use `switchover b`"):
        database.failover(cluster.tier, "b")
    cluster.silent = {"a"}
    database.failover(cluster.tier, "b")
    assert cluster.leader == "b"


def test_a_machine_that_is_none_of_the_tier_is_named():
    with pytest.raises(FailedError, match="db-node9: is no machine of the tier"):
        database.restart(Cluster().tier, "db-node9")


def test_a_drill_runs_on_a_standby_and_its_own_report_is_read():
    cluster = Cluster(reports=[{"began": 100.5, "proven": True}])

    assert drill.drill(cluster.tier)["proven"]
    assert cluster.did("start database-drill-now") == ["b"]


def test_a_report_of_another_drill_proves_nothing():
    cluster = Cluster(reports=[{"began": 99.0, "proven": True}])

    with pytest.raises(FailedError, match="left no report"):
        drill.drill(cluster.tier)


def test_a_drill_that_failed_is_told_by_its_report():
    cluster = Cluster(
        reports=[{"began": 101.0, "proven": False}], refuses=("start database-drill",)
    )

    assert drill.drill(cluster.tier) == {"began": 101.0, "proven": False}


@dataclass
class Engine:
    """Writes down what it was told to do."""

    second: bool = False
    told: list[str] = field(default_factory=list)

    def uses_second(self, _: str) -> bool:
        return self.second

    def use(self, secret: str, *, second: bool) -> None:
        self.second = second
        self.told.append(f"use {secret} {'second' if second else 'first'}")

    def renew(self, *patterns: str) -> None:
        self.told.append(f"renew {' '.join(patterns)}")


@pytest.mark.parametrize(
    ("secret", "second", "told"),
    [
        ("owner", False, ["use owner second", "renew secrets-database-owner"]),
        ("owner", True, ["use owner first", "renew secrets-database-owner-second"]),
        ("dumps", False, ["renew secrets-dumps-second", "use dumps second"]),
        ("bucket", False, ["renew backups-key"]),
        ("backups", False, ["renew secrets-backup-second", "use backups second"]),
        ("dumps", True, ["renew secrets-dumps", "use dumps first"]),
        (
            "authority",
            True,
            [
                "use authority first",
                "renew database-certificates-authority-key-second database-certificates-key-*",
            ],
        ),
    ],
)
def test_a_word_that_is_used_is_never_made_anew(secret, second, told):
    engine = Engine(second=second)
    rotation.rotate(Cluster().tier, engine, secret)

    assert engine.told == told


def test_a_rotation_may_wait_between_its_steps_until_everybody_uses_the_other_word():
    engine = Engine()
    rotation.rotate(Cluster().tier, engine, "owner", rotation.USE)
    rotation.rotate(Cluster().tier, engine, "owner", rotation.RENEW)

    assert engine.told == ["use owner second", "renew secrets-database-owner"]
    with pytest.raises(FailedError, match="expected a step"):
        rotation.rotate(Cluster().tier, engine, "bucket", rotation.USE)


def test_nothing_is_rotated_where_the_tier_is_not_well():
    cluster, engine = Cluster(), Engine()
    cluster.states["c"] = "stopped"

    with pytest.raises(FailedError, match="not well"):
        rotation.rotate(cluster.tier, engine, "redis")
    assert not engine.told


SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}


def state(**outputs: object) -> dict[str, object]:
    connector = {"address": "10.0.0.1", "user": "debian",
                 "privateKey": {**SECRET, "plaintext": '"the key"'}}  # fmt: skip
    told = {
        "deploy": "hosts.database:database",
        "hosts": {"a": {"connector": connector}},
        "sudo": True,
        "hostKeys": {"a": "ssh-ed25519 AAAA"},
        **outputs,
    }
    return {"deployment": {"resources": [{"type": "pyinfra:index:Deploy", "outputs": told}]}}


def test_machines_are_reached_with_what_the_state_says_and_nothing_else():
    hosts, sudo = hosts_of(state(), "hosts.database:database")
    with machines(hosts, sudo=sudo) as reached:
        command = reached["a"].command
        key = command[command.index("-i") + 1]
        with open(key) as file:  # noqa: PTH123
            assert file.read() == "the key\n"

    assert sudo
    assert reached["a"].sudo
    assert "the key" not in " ".join(command)
    assert command[-1] == "debian@10.0.0.1"
    assert "-oStrictHostKeyChecking=yes" in command
    with pytest.raises(FileNotFoundError):
        open(key).close()  # noqa: PTH123


def test_a_host_whose_key_nobody_pinned_is_not_talked_to():
    hosts, _ = hosts_of(state(hostKeys={}), "hosts.database:database")

    with pytest.raises(FailedError, match="knows no key of this host"), machines(hosts):
        pass


def test_a_stack_without_a_tier_says_so():
    with pytest.raises(FailedError, match="knows no hosts"):
        hosts_of(state(deploy="hosts.other:other"), "hosts.database:database")


def test_a_machine_that_is_silent_is_not_one_where_a_command_failed():
    ssh = Ssh(
        address="127.0.0.1", port=1, user="root", private_key="x", host_keys=("ssh-ed25519 A",)
    )

    with machines({"a": ssh}) as reached, pytest.raises(UnreachableError, match="a: "):
        reached["a"].run("true")


def test_a_machine_that_did_not_answer_is_asked_last():
    cluster = Cluster(leader="b", silent={"a"})
    tier = cluster.tier
    asked = []
    answer = cluster.answer
    cluster.answer = lambda name, command: (asked.append(name), answer(name, command))[1]

    tier.members()
    tier.members()

    assert asked == ["a", "b", "b"]
