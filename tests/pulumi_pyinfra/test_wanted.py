"""What the engine's inputs want, and everything that is wrong in their shape."""

from __future__ import annotations

import pytest

from pulumi_pyinfra.protocol import Connected, Ssh
from pulumi_pyinfra.reached import Reached
from pulumi_pyinfra.typed import UNKNOWN
from pulumi_pyinfra.wanted import Wanted, faults

SSH = {"address": "192.0.2.1", "user": "root", "privateKey": "canary-key"}


def inputs(**changes):
    return {"deploy": "a.b:c", "hosts": {"h": {"connector": "local"}}} | changes


def hosts(**host):
    return inputs(hosts={"h": {"connector": SSH} | host})


RIGHT = [
    inputs(),
    inputs(rollout={"serial": 3, "last": ["h"], "lastIf": "a.b:d", "probe": "a.b:e"}),
    inputs(arguments=UNKNOWN, leave="a:b", onDelete="a.b:c", gone=["i"]),
    hosts(connector={"chroot": "/srv"}),
    hosts(connector=UNKNOWN, arguments=UNKNOWN, machine=UNKNOWN),
    hosts(connector=SSH | {"address": UNKNOWN, "port": 2222, "bastion": SSH}),
]
WRONG = [
    ({"hosts": {"h": {"connector": "local"}}}, ["deploy: missing"]),
    (
        inputs(deploy="a.b"),
        ["deploy: must be an import path like package.module:function, got a.b"],
    ),
    (inputs(leave="1:c"), ["leave: must be an import path like package.module:function, got 1:c"]),
    (inputs(onDelet="a:b"), ["on_delet: unknown key, did you mean on_delete?"]),
    (inputs(hosts={}), ["hosts: must name at least one host"]),
    (
        inputs(hosts=UNKNOWN),
        ["hosts: must be known when the plan is made: its keys are who is in the group"],
    ),
    (inputs(gone=["h"]), ["gone: h is still a host of the group; take it out of hosts too"]),
    (hosts(argument={}), ["hosts[h].argument: unknown key, did you mean arguments?"]),
    (hosts(arguments=[]), ["hosts[h].arguments: expected keys and values"]),
    (
        hosts(connector="lokal"),
        ["hosts[h].connector: expected an Ssh, a Chroot or local"],
    ),
    (
        hosts(connector={"chroot": 1}),
        ["hosts[h].connector.chroot: expected text, got a whole number"],
    ),
    (
        hosts(connector={"adress": "x", "user": "y", "port": 70000}),
        [
            "hosts[h].connector.adress: unknown key, did you mean address?",
            "hosts[h].connector.address: missing",
            "hosts[h].connector.private_key: missing",
        ],
    ),
    (hosts(connector=SSH | {"port": 0}), ["hosts[h].connector.port: must be 1-65535, got 0"]),
    (
        hosts(connector=SSH | {"bastion": {"user": "x", "privateKey": 5}}),
        [
            "hosts[h].connector.bastion.address: missing",
            "hosts[h].connector.bastion.private_key: expected text, got a whole number",
        ],
    ),
    (
        inputs(deploy="no path", sudo="yes", rollout={"serial": 0, "probe": "x", "last": ["i"]}),
        [
            "sudo: expected true or false, got text",
            "rollout.serial: must be at least 1, got 0",
            "rollout.probe: must be an import path like package.module:function, got x",
            "deploy: must be an import path like package.module:function, got no path",
            "rollout.last: i is no host of the group; there are h",
        ],
    ),
]


@pytest.mark.parametrize("told", RIGHT)
def test_what_is_right_or_not_known_yet_is_no_fault(told):
    assert faults(told) == []


@pytest.mark.parametrize(("told", "expected"), WRONG)
def test_every_fault_is_named_at_once_with_its_place(told, expected):
    found = list(map(str, faults(told)))

    assert sorted(found) == sorted(expected)
    assert "canary-key" not in " ".join(found)


def test_a_host_whose_connector_is_not_known_is_never_reached_by_another():
    wanted = Wanted.parse(hosts(connector=SSH | {"address": UNKNOWN}))

    host = wanted.hosts["h"].reach("h")

    assert not wanted.hosts["h"].exists
    assert (host.ssh, host.connector, host.chroot) == (None, None, None)


def test_hosts_stand_in_the_order_of_their_names():
    told = {name: {"connector": "local"} for name in ("c", "a", "b")}

    assert list(Wanted.parse(inputs(hosts=told)).hosts) == ["a", "b", "c"]


def test_keys_are_pinned_once_and_those_that_are_given_win():
    bastion = Ssh(address="192.0.2.9", user="u", private_key="k")
    ssh = Ssh(address="192.0.2.1", user="u", private_key="k", bastion=bastion)
    reached = Reached()
    for key in ("first", "second"):
        met = Connected(host="h", host_key=key, bastion_host_key=f"{key} bastion", seconds=0)
        reached.pin(met, ssh)

    wanted = Wanted.parse(hosts(connector=SSH | {"bastion": SSH | {"address": "192.0.2.9"}}))
    given = Wanted.parse(hosts(connector=SSH | {"hostKeys": ["given"]}))

    host = reached.recognised(wanted.hosts["h"].reach("h"))
    assert host.ssh.host_keys == ("first",)
    assert host.ssh.bastion.host_keys == ("first bastion",)
    assert reached.recognised(given.hosts["h"].reach("h")).ssh.host_keys == ("given",)


@pytest.mark.parametrize(
    ("before", "now", "kept"),
    [("1", "1", True), ("1", "2", False), (None, "1", True), ("1", UNKNOWN, False)],
)
def test_another_machine_under_the_same_name_starts_anew(before, now, kept):
    state = hosts(machine=before) | {"applied": {"h": "x"}, "hostKeys": {"h": "k"}}

    reached = Reached.of(state, Wanted.parse(hosts(machine=now)))

    assert bool(reached.applied) is bool(reached.host_keys) is kept


def test_a_group_stays_settled_when_every_host_of_it_is_another_machine_now():
    now = Wanted.parse(hosts(machine="2"))
    state = hosts(machine="1") | {"applied": {"h": "x"}}
    lost = Reached.of(state, now)

    assert lost.settled
    assert not lost.applied
    assert Reached.of({"applied": {}, "settled": lost.settled}, now).settled


def test_a_group_is_settled_once_a_host_of_it_is_what_was_wanted():
    reached = Reached.of({}, Wanted.parse(hosts()))
    assert not reached.settled

    reached.keep("h", "digest")

    assert reached.settled
