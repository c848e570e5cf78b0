"""Who founds a cluster, who joins it: tried for every way in which servers can show themselves."""

from __future__ import annotations

from itertools import product

import pytest

from hosts.on_machine.k3s_join import Decision, Seen, decide

SERVERS = ("a", "b", "c", "d", "e")
WAYS = [
    (dict(zip(servers[1:], seen, strict=True)), has_data, founded, server)
    for count in range(1, len(SERVERS) + 1)
    for servers in [SERVERS[:count]]
    for seen in product(Seen, repeat=count - 1)
    for has_data in (True, False)
    for founded in (True, False)
    for server in (True, False)
    if server or not has_data
]


def decisions(name: str) -> list[tuple[dict[str, Seen], bool, bool, bool, Decision]]:
    """Return what is decided on a machine for each way; ``a`` founds, ``z`` doesn't."""
    return [
        (
            others,
            has_data,
            founded,
            server,
            decide(name, "a", server=server, has_data=has_data, founded=founded, others=others),
        )
        for others, has_data, founded, server in WAYS
    ]


def test_a_cluster_is_founded_only_where_neither_the_state_nor_any_other_server_knows_of_one():
    for others, has_data, founded, server, decision in decisions("a"):
        alone = all(seen is Seen.NEVER for seen in others.values())
        assert (decision.what == "found") == (server and not has_data and alone and not founded)


@pytest.mark.parametrize("count", range(1, len(SERVERS) + 1))
def test_a_founded_cluster_is_joined_where_a_server_lives_and_never_made_twice(count):
    """All subsets of servers alive: the rest is new machines that say they never were any."""
    others = SERVERS[1:count]
    for alive in product((True, False), repeat=len(others)):
        seen = {
            other: Seen.LIVES if lives else Seen.NEVER
            for other, lives in zip(others, alive, strict=True)
        }
        told = decide("a", "a", server=True, has_data=False, founded=True, others=seen)
        assert told.what == ("join" if any(alive) else "wait")
        assert any("restore a snapshot" in doubt for doubt in told.doubts) != any(alive)


def test_nobody_but_the_founder_founds():
    assert {decision.what for *_, decision in decisions("z")} == {"join", "wait", "resume"}


def test_who_has_data_goes_on_with_it_whatever_the_others_show():
    for name in ("a", "z"):
        for _, has_data, _, _, decision in decisions(name):
            assert (decision.what == "resume") == has_data


def test_who_has_no_data_joins_whoever_lives():
    for name in ("a", "z"):
        for others, has_data, _, _, decision in decisions(name):
            living = [other for other, seen in others.items() if seen is Seen.LIVES]
            assert (decision.what == "join") == (bool(living) and not has_data)
            assert decision.whom == (living[0] if decision.what == "join" else "")


def test_who_waits_says_why_by_name():
    for name in ("a", "z"):
        for others, _, _, _, decision in decisions(name):
            doubtful = {o for o, seen in others.items() if seen in (Seen.WAS, Seen.SILENT)}
            named = {doubt.partition(":")[0] for doubt in decision.doubts} & {*others}
            assert named == (doubtful if decision.what == "wait" else set())
            assert bool(decision.doubts) == (decision.what == "wait")


def test_no_two_servers_found_clusters_whatever_they_see_of_each_other():
    """Two founders would each have to be the first by name."""
    for name in ("b", "c", "d", "e"):
        assert all(decision.what != "found" for *_, decision in decisions(name))


@pytest.mark.parametrize("seen", [Seen.WAS, Seen.SILENT])
def test_a_founder_that_lost_everything_founds_nothing_beside_servers_that_are_only_down(seen):
    others = {"b": seen, "c": Seen.NEVER}
    decision = decide("a", "a", server=True, has_data=False, founded=False, others=others)

    assert decision.what == "wait"
    assert decision.doubts == (f"b: {seen.value}",)
