"""Machines come and go by the engine's own runs, while the database is written to."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import Any

import pytest

from lab.machines.network import NAMESPACES
from tests.lab.machines.conftest import ROOT
from tests.pulumi_pyinfra.engine.project import Project
from toolchain import engine

from .clients import clients_of, found, writes
from .proof import members_of_etcd
from .tier import Tier

pytestmark = [pytest.mark.machines, pytest.mark.database, pytest.mark.engine]


@dataclass
class Program(Project):
    """The tier as one deploy of a program, run from inside the lab's network."""

    tier: Tier
    numbers: dict[str, int] = field(default_factory=dict)
    """Which machine stands under a name, if not the first."""

    def __post_init__(self) -> None:
        self.within = ("nsenter", f"--net={NAMESPACES / self.tier.lab.place.namespace}", "--")
        super().__post_init__()
        shutil.copytree(ROOT / "hosts", self.folder / "hosts")

    def pulumi(self, *arguments: str, check: bool = True) -> Any:
        return engine.pulumi(
            self.folder, self.variables, *arguments, check=check, within=self.within
        )

    def up_with(self, *names: str) -> str:
        """Have these machines and no others."""
        common = self.tier.arguments()
        members = {name: common["members"][name] for name in names}
        del common["members"]
        hosts = {}
        for name in names:
            ssh = self.tier.ssh_to(self.tier.machine(name))
            told = {"name": name, "identity": self.tier.identity(name), "members": members}
            hosts[name] = {
                "arguments": told,
                "machine": str(self.numbers.get(name, 1)),
                "ssh": {
                    "address": ssh.address,
                    "user": ssh.user,
                    "private_key": ssh.private_key,
                    "host_keys": list(ssh.host_keys),
                },
            }
        self.want(
            hosts,
            deploy="hosts.database:database",
            arguments=common,
            leave="hosts.leaving:leave",
            rollout={
                "last_if": "hosts.database:leads",
                "probe": "hosts.database:healthy",
                "probe_seconds": 120,
            },
        )
        return self.up()


@pytest.fixture(scope="module")
def program(fresh, tmp_path_factory) -> Program:
    made = Program(tmp_path_factory.mktemp("program") / "project", fresh)
    # All at once, which is quicker; the engine finds them as it wants them.
    fresh.apply()
    made.up_with(*fresh.names)
    return made


def all_are_members(tier: Tier) -> bool:
    members = tier.cluster()
    fit = [m for m in members.values() if m["state"] in ("running", "streaming")]
    return len(fit) == len(tier.names)


def test_a_standby_that_is_another_machine_takes_its_place_under_load(program, tmp_path):
    tier = program.tier
    workload = clients_of(tier, tmp_path)
    name = next(name for name in tier.names if name != tier.leader())
    with workload.running():
        writes(tier, workload)
        anew(tier, name)
        program.numbers[name] = 2
        program.up_with(*tier.names)
        writes(tier, workload)
        assert tier.becomes(lambda: all_are_members(tier), 60)

    assert members_of_etcd(tier, name) == dict.fromkeys(tier.names, "votes")
    told = found(workload)
    assert (told["lost"], told["unexpected"], told["unknown"], told["refused"]) == (0, 0, 0, 0)
    program.up("--expect-no-changes")


def test_a_leader_that_died_is_another_machine_and_follows_under_load(program, tmp_path):
    tier = program.tier
    workload = clients_of(tier, tmp_path)
    name = tier.leader()
    with workload.running():
        writes(tier, workload)
        anew(tier, name)
        program.numbers[name] = program.numbers.get(name, 1) + 1
        program.up_with(*tier.names)
        writes(tier, workload)
        assert tier.becomes(lambda: all_are_members(tier), 60)

    assert members_of_etcd(tier, name) == dict.fromkeys(tier.names, "votes")
    told = found(workload)
    assert (told["lost"], told["unexpected"]) == (0, 0)


def test_a_machine_leaves_and_comes_back_under_load(program, tmp_path):
    tier = program.tier
    workload = clients_of(tier, tmp_path)
    leader = tier.leader()
    name = next(name for name in tier.names if name != leader)
    stay = [n for n in tier.names if n != name]
    with workload.running():
        writes(tier, workload)
        program.up_with(*stay)
        writes(tier, workload)
        assert members_of_etcd(tier, leader) == dict.fromkeys(stay, "votes")
        assert tier.becomes(lambda: set(tier.patroni_on(leader)) == set(stay), 30)

        program.up_with(*tier.names)
        writes(tier, workload)
        assert tier.becomes(lambda: all_are_members(tier), 60)

    assert members_of_etcd(tier, leader) == dict.fromkeys(tier.names, "votes")
    assert tier.leader() == leader
    told = found(workload)
    assert (told["lost"], told["unexpected"], told["unknown"], told["refused"]) == (0, 0, 0, 0)
    program.up("--expect-no-changes")


def anew(tier: Tier, name: str) -> None:
    """Have another machine under a name, with a blank disk."""
    old = tier.machine(name)
    disks = old.args.disks
    old.delete()
    for disk in disks.values():
        disk.unlink()
    tier.start(name)
