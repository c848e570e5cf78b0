"""Day-2 commands on a tier that is written to: what an operator does costs nobody an answer."""

from __future__ import annotations

import ssl
import time

import pytest

from ops import database, upgrade_plan
from ops.reach import FailedError

from .clients import clients_of, found, writes
from .proof import operated
from .tier import Tier
from .workload import Workload

pytestmark = [pytest.mark.machines, pytest.mark.database]


@pytest.fixture
def workload(tier, tmp_path) -> Workload:
    return clients_of(tier, tmp_path)


def test_a_switchover_and_a_restart_of_each_machine_cost_no_answer(tier, workload):
    with workload.running(), operated(tier) as ours:
        writes(tier, workload)
        before = tier.leader()
        began = time.monotonic()
        database.switchover(ours)
        assert tier.leader() != before
        print(f"\nlonger without a write: {workload.outage(began):.1f} s")  # noqa: T201 - a report
        with pytest.raises(FailedError, match="leads: --leader"):
            database.restart(ours, tier.leader())
        replica = next(name for name in tier.names if name != tier.leader())
        database.restart(ours, replica)
        database.restart(ours, tier.leader(), even_leader=True)
        writes(tier, workload)

    told = found(workload)
    assert told["acknowledged"] > 100
    assert (told["lost"], told["unexpected"], told["unknown"], told["refused"]) == (0, 0, 0, 0)


def test_a_switchover_that_nobody_may_take_over_changes_nothing(tier, workload):
    before = tier.leader()
    with workload.running(), operated(tier) as ours:
        writes(tier, workload)
        with pytest.raises(FailedError, match="no synchronous standby"):
            database.switchover(ours, before)
        writes(tier, workload)

    assert tier.leader() == before
    assert found(workload)["lost"] == 0


def test_new_certificates_are_rolled_out_and_no_request_fails(tier, workload):
    old = dict(tier.identities)
    with workload.running():
        writes(tier, workload)
        tier.identities.clear()
        tier.apply()
        writes(tier, workload)

    served = ssl.create_default_context(cadata=tier.trusted)
    where = tier.machine(tier.leader()).args.address.ip
    with (
        tier.lab.network.connect(where, 8008, 5) as plain,
        served.wrap_socket(plain, server_hostname=str(where)) as patroni,
    ):
        shown = ssl.DER_cert_to_PEM_cert(patroni.getpeercert(binary_form=True))
    assert shown.strip() in {i["certificate"].strip() for i in tier.identities.values()}
    assert shown.strip() not in {i["certificate"].strip() for i in old.values()}
    told = found(workload)
    assert (told["lost"], told["unknown"], told["refused"]) == (0, 0, 0)


def test_newer_packages_are_installed_replicas_first_while_writes_go_on(tier, workload):
    with workload.running(), operated(tier) as ours:
        writes(tier, workload)
        database.update(ours)
        writes(tier, workload)

    told = found(workload)
    assert (told["lost"], told["unknown"], told["refused"]) == (0, 0, 0)


def test_the_plan_of_a_major_upgrade_says_what_is_in_its_way(tier):
    with operated(tier) as ours:
        found_out = upgrade_plan.look(ours, 18)

    assert found_out.bytes > 1 << 20
    told = upgrade_plan.plan(found_out, 18)
    assert told.count("have no postgresql-18") == len(tier.names)
    assert "newest backup is older" in told


def test_a_standby_leads_when_told_to_where_the_leader_is_silent(tier, workload):
    dead = tier.leader()
    with workload.running():
        writes(tier, workload)
        with operated(tier) as ours:
            with pytest.raises(FailedError, match="use `switchover"):
                database.failover(ours, next(n for n in tier.names if n != dead))
            tier.machine(dead).power_cut()
            began = time.monotonic()
            candidates = [n for n in tier.names if n != dead]
            survivor = tier.machine(candidates[0])
            members = tier.patroni_on(survivor.name)
            standby = next(n for n in candidates if "Standby" in members[n]["Role"])
            database.failover(ours, standby)
            print(f"\nled by hand after {time.monotonic() - began:.1f} s")  # noqa: T201 - a report
        writes(tier, workload)
        tier.machine(dead).boot()
        assert tier.becomes(lambda: _streams(tier, dead), 120)

    assert found(workload)["lost"] == 0


def _streams(tier: Tier, name: str) -> bool:
    running = next(n for n in tier.names if n != name)
    return tier.patroni_on(running).get(name, {}).get("State") == "streaming"
