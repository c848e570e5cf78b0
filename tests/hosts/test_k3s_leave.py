"""A server leaves only if those who stay have a quorum: tried for all clusters of up to five."""

from __future__ import annotations

from itertools import combinations, product

from hosts.on_machine.k3s_leave import Member, without

ADDRESSES = [f"192.168.15.{number}" for number in range(110, 115)]
ME = ADDRESSES[0]


def members(voters: tuple[bool, ...]) -> list[Member]:
    pairs = zip(ADDRESSES, voters, strict=False)
    return [Member(number=a, address=a, voter=voter) for a, voter in pairs]


def test_a_server_leaves_only_if_a_majority_of_the_voters_that_stay_is_well():
    for count in range(1, len(ADDRESSES) + 1):
        for learners in product((True, False), repeat=count - 1):
            known = members((True, *learners))
            voters = {m.address for m in known if m.voter} - {ME}
            for size in range(count + 1):
                for well in combinations(ADDRESSES[:count], size):
                    faults = without(ME, known, {*well}, {"any"}, server=True)
                    allowed = bool(voters) and len(voters & {*well}) > len(voters) / 2
                    assert bool(faults) != allowed, (known, well)


def test_the_last_server_never_leaves():
    (fault,) = without(ME, members((True,)), {ME}, {"any"}, server=True)

    assert fault == "etcd: 1 healthy members needed, there are 0: []"


def test_an_agent_may_leave_as_long_as_the_cluster_answers():
    assert not without(ME, [], set(), {"k3s-node1"}, server=False)
    assert without(ME, [], set(), set(), server=False) == [
        "Kubernetes: no server that stays answers"
    ]
