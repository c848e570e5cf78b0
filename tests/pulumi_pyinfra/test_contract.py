"""Arguments are read against the deploy's contract: every fault at once, by host and key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Literal, NewType

import pytest

from pulumi_pyinfra import contract
from pulumi_pyinfra.protocol import Host
from pulumi_pyinfra.typed import UNKNOWN, read

Port = NewType("Port", int)


class Role(StrEnum):
    LEADER = "leader"
    FOLLOWER = "follower"


@dataclass(frozen=True, kw_only=True)
class Peer:
    address: IPv4Address
    weight: int = 1

    def __post_init__(self) -> None:
        if self.weight < 0:
            raise ValueError(f"weight: must be 0 or more, got {self.weight}")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    priority: int
    address: IPv4Address
    password: str = field(default="", repr=False)
    token: Literal["one", "two"] = field(default="one", repr=False)
    role: Role = Role.FOLLOWER
    level: Literal["low", "high", 3] = "low"
    networks: tuple[IPv4Network, ...] = ()
    pair: tuple[str, int] = ("", 0)
    peers: Mapping[str, Peer] = field(default_factory=dict)
    names: Sequence[str] = ()
    note: str | None = None
    either: int | Peer = 0
    ratio: float = 1.0
    strict: bool = False
    port: Annotated[Port, "of the service"] = Port(80)
    anything: object = None

    def __post_init__(self) -> None:
        faults = []
        if not 1 <= self.priority <= 254:
            faults.append(f"priority: must be 1-254, got {self.priority}")
        if self.password == "weak":
            faults.append(f"password: {self.password} is too short")
        if self.strict and not self.names:
            faults.append("names are needed where it is strict")
        if faults:
            raise ValueError("\n".join(faults))


FINE = {"priority": 100, "address": "10.0.0.1"}


def faults(**changes):
    return [str(fault) for fault in read(Wanted, FINE | changes).faults]


def test_plain_data_becomes_what_the_contract_says():
    told = {
        "priority": 100.0,
        "address": "10.0.0.1",
        "role": "leader",
        "level": 3,
        "networks": ["10.0.0.0/8"],
        "pair": ["a", 1],
        "peers": {"b": {"address": "10.0.0.2"}},
        "names": ["x"],
        "note": None,
        "either": {"address": "10.0.0.3", "weight": 2},
        "ratio": 2,
        "port": 8080,
        "anything": {"goes": [1]},
    }

    reading = read(Wanted, told)

    assert reading.complete
    assert reading.value == Wanted(
        priority=100,
        address=IPv4Address("10.0.0.1"),
        role=Role.LEADER,
        level=3,
        networks=(IPv4Network("10.0.0.0/8"),),
        pair=("a", 1),
        peers={"b": Peer(address=IPv4Address("10.0.0.2"))},
        names=("x",),
        either=Peer(address=IPv4Address("10.0.0.3"), weight=2),
        ratio=2.0,
        port=Port(8080),
        anything={"goes": [1]},
    )
    assert type(reading.value.priority) is int
    assert type(reading.value.ratio) is float


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"prioritty": 1}, "prioritty: unknown key, did you mean priority?"),
        ({"zzz": 1}, "zzz: unknown key"),
        ({"priority": "100"}, "priority: expected a whole number, got text"),
        ({"priority": 1.5}, "priority: expected a whole number, got a number"),
        ({"priority": True}, "priority: expected a whole number, got true or false"),
        ({"strict": 1}, "strict: expected true or false, got a whole number"),
        ({"ratio": "1"}, "ratio: expected a number, got text"),
        ({"note": 1}, "note: expected text, got a whole number"),
        ({"address": "10.0.0.300"}, "address: expected an IPv4 address, got 10.0.0.300"),
        ({"address": 10}, "address: expected an IPv4 address, got a whole number"),
        ({"networks": ["10.0.0.1/8"]}, "networks[0]: expected an IPv4 network, got 10.0.0.1/8"),
        ({"networks": "10.0.0.0/8"}, "networks: expected a list, got text"),
        (
            {"role": "lead"},
            "role: expected one of leader, follower, got lead, did you mean leader?",
        ),
        ({"level": "hi"}, "level: expected one of low, high, 3, got hi, did you mean high?"),
        ({"pair": ["a"]}, "pair: expected a list of 2, got a list of 1"),
        ({"pair": ["a", "b"]}, "pair[1]: expected a whole number, got text"),
        ({"peers": []}, "peers: expected keys and values, got a list of 0"),
        ({"peers": {"b": {}}}, "peers[b].address: missing"),
        ({"names": [1]}, "names[0]: expected text, got a whole number"),
        (
            {"either": "x"},
            "either: expected a whole number, got text; or expected keys and values, got text",
        ),
        ({"priority": 300}, "priority: must be 1-254, got 300"),
        ({"strict": True}, "names are needed where it is strict"),
        (
            {"peers": {"b": {"address": "10.0.0.2", "weight": -1}}},
            "peers[b].weight: must be 0 or more, got -1",
        ),
    ],
)
def test_a_fault_says_where_what_and_what_was_expected(changes, fault):
    assert faults(**changes) == [fault]


def test_every_fault_is_told_at_once():
    told = {"prioritty": 1, "address": "x", "names": "y", "peers": {"b": {"weight": "z"}}}

    assert [str(fault).partition(":")[0] for fault in read(Wanted, told).faults] == [
        "prioritty",
        "priority",
        "address",
        "peers[b].address",
        "peers[b].weight",
        "names",
    ]


def test_what_the_contract_itself_refuses_is_told_line_by_line():
    assert faults(priority=0, strict=True) == [
        "priority: must be 1-254, got 0",
        "names are needed where it is strict",
    ]


def test_a_fault_of_a_hidden_field_does_not_show_its_value():
    assert faults(password="weak") == ["password: [secret] is too short"]
    assert faults(token="twoo") == ["token: expected one of one, two"]


def test_what_is_not_known_yet_is_no_fault_and_is_named():
    told = FINE | {
        "priority": UNKNOWN,
        "peers": {"b": {"address": UNKNOWN}},
        "names": ["a", UNKNOWN],
        "anything": {"x": [UNKNOWN]},
    }

    reading = read(Wanted, told)

    assert reading.unknown == ["priority", "peers[b].address", "names[1]", "anything[x][0]"]
    assert not reading.faults


def test_known_faults_are_told_beside_what_is_not_known_yet():
    reading = read(Wanted, {"priority": UNKNOWN, "address": "x"})

    assert [fault.path for fault in reading.faults] == ["address"]
    assert reading.unknown == ["priority"]


def test_a_type_that_no_contract_can_hold_is_a_fault():
    @dataclass
    class Odd:
        when: complex

    assert "can't hold a value of type" in str(read(Odd, {"when": 1}).faults[0])


def test_a_hosts_own_argument_wins():
    assert contract.read(Wanted, FINE, {"priority": 5}).value.priority == 5


def test_a_fault_names_its_host_and_one_of_all_hosts_is_told_once():
    hosts = [
        Host(name="db-node1", arguments={"priority": 100}),
        Host(name="db-node2", arguments={"priority": 300}),
        Host(name="db-node3", arguments={"priority": UNKNOWN}),
    ]

    told = contract.check(Wanted, {"address": "10.0.0.1"}, hosts)
    shared = contract.check(Wanted, {"adress": "10.0.0.1"}, hosts)

    assert [str(fault) for fault in told[:-1]] == [
        "host db-node2: priority: must be 1-254, got 300",
    ]
    assert (told[-1].host, told[-1].paths) == ("db-node3", ("priority",))
    assert [str(fault) for fault in shared[:-1]] == [
        "every host: adress: unknown key, did you mean address?",
        "every host: address: missing",
    ]


def test_the_contract_is_what_the_one_parameter_is_annotated_with():
    def deploy(wanted: Wanted) -> None: ...

    assert contract.contract_of(deploy) is Wanted


def takes_nothing() -> None: ...


def takes_two(a: Wanted, b: int) -> None: ...


def takes_a_number(a: int) -> None: ...


def takes_anything(a): ...


@pytest.mark.parametrize("deploy", [takes_nothing, takes_two, takes_a_number, takes_anything])
def test_a_deploy_without_a_contract_is_refused(deploy):
    with pytest.raises(contract.ContractError, match=f"{deploy.__name__}: "):
        contract.contract_of(deploy)


@dataclass(frozen=True, kw_only=True)
class Founder:
    settled: bool = False


def test_a_contract_that_asks_is_told_whether_the_group_was_ever_what_was_wanted():
    assert contract.read(Founder, {}, {}, settled=True).value == Founder(settled=True)
    assert contract.read(Founder, {"settled": True}, {}).value == Founder(settled=False)
    assert not contract.read(Wanted, {}, FINE, settled=True).faults
