"""F12-F14: etcd loses its quorum, its leader, or what a member knew."""

from __future__ import annotations

import json

from lab.machines import Machine

from . import injections
from .case import SLOWER, Case, Fault
from .test_tier import members_of_etcd

ETCDCTL = "set -a; . /etc/etcd/etcdctl.env; etcdctl --command-timeout=5s"


@Fault(
    number="F12",
    what="etcd has no quorum for 45 s; PostgreSQL is well",
    how="etcd stopped on both standbys' machines",
    within=12,
    moves=False,
    quick=True,
)
def test_without_etcds_quorum_the_leader_goes_on(case: Case):
    with case.running():
        with injections.turned_off("etcd", *case.others):
            case.last(45)
        case.wait_until_writes_are_back()
    case.check()


@Fault(
    number="F13",
    what="etcd has no quorum and a standby is gone: the leader can't know that it still is",
    how="etcd stopped on one standby's machine, power of the other cut; etcd back 30 s later",
    within=30 + 25,
)
def test_without_a_quorum_and_a_standby_nobody_leads_until_it_is_back(case: Case):
    with case.running():
        one, other = case.others
        with injections.turned_off("etcd", one):
            other.power_cut()
            stopped = case.wait_for(lambda: case.sampler.holder() is None, 20 * SLOWER)
            case.told["demoted after"] = round(stopped, 1)
            acknowledged = len(case.workload.of("acknowledged"))
            case.last(30)
            assert len(case.workload.of("acknowledged")) == acknowledged
        case.wait_until_writes_are_back()
        other.boot()
        other.wait_for_ssh()
    case.check()


@Fault(
    number="F14a",
    what="etcd's leader is killed",
    how="SIGKILL; systemd starts it again",
    within=5,
    moves=False,
    quick=True,
)
def test_etcds_leader_is_killed_and_postgresqls_stays(case: Case):
    with case.running():
        injections.signal(leader_of_etcd(case), "KILL", "etcd")
        case.last(20)
        case.wait_until_writes_are_back()
    case.check()


@Fault(
    number="F14b",
    what="A member of etcd loses its data and is replaced by the deploy",
    how="etcd killed on the leader's machine, its folder removed, `hosts.database:database` again",
    within=10,
    moves=False,
)
def test_a_member_without_data_is_replaced_by_the_deploy(case: Case):
    with case.running():
        leader = case.leader
        injections.shell(
            leader, "systemctl kill --signal=KILL etcd; systemctl stop etcd; rm -rf /var/lib/etcd/*"
        )
        case.tier.apply(leader.name)
        votes = dict.fromkeys(case.tier.names, "votes")
        assert members_of_etcd(case.tier, leader.name) == votes
        case.wait_until_writes_are_back()
    case.check()


@Fault(
    number="F14c",
    what="The founder of etcd is blank while the etcd of all others is stopped",
    how="its folder removed, etcd stopped everywhere, `etcd-join`: it must found nothing",
    within=45,
    moves=False,
)
def test_nobody_founds_a_second_cluster_while_the_first_is_stopped(case: Case):
    with case.running():
        founder = case.tier.machine(min(case.tier.names))
        others = [m for m in case.tier.machines if m.name != founder.name]
        with injections.turned_off("etcd", *others):
            injections.shell(founder, "systemctl stop etcd; rm -rf /var/lib/etcd/*")
            said = injections.shell(
                founder, "etcd-join /etc/etcd/join.json 10 2>&1 || echo refused"
            )
        assert "refused" in said, said
        assert "has been a member" in said, said
        case.tier.apply(founder.name)
        assert set(members_of_etcd(case.tier, founder.name)) == set(case.tier.names)
        case.wait_until_writes_are_back()
    case.check()


def leader_of_etcd(case: Case) -> Machine:
    """Return the machine whose member leads."""
    said = injections.shell(case.tier.machines[0], f"{ETCDCTL} endpoint status -w json")
    for machine, told in zip(case.tier.machines, json.loads(said), strict=True):
        if told["Status"]["leader"] == told["Status"]["header"]["member_id"]:
            assert str(machine.args.address.ip) in told["Endpoint"]
            return machine
    raise AssertionError(said)
