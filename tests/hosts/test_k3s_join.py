"""Who founds a cluster, who joins it: tried for every way in which servers can show themselves."""

from __future__ import annotations

from itertools import product

import pytest

from hosts.on_machine.k3s_join import Decision, Seen, decide

SERVERS = ("a", "b", "c", "d", "e")
WAYS = [
    (servers, dict(zip(servers[1:], seen, strict=True)), has_data, server)
    for count in range(1, len(SERVERS) + 1)
    for servers in [SERVERS[:count]]
    for seen in product(Seen, repeat=count - 1)
    for has_data in (True, False)
    for server in (True, False)
    if server or not has_data
]


def decisions(name: str) -> list[tuple[dict[str, Seen], bool, bool, Decision]]:
    """Return what is decided on a machine for each way; ``a`` founds, ``z`` doesn't."""
    return [
        (
            others,
            has_data,
            server,
            decide(name, "a", server=server, has_data=has_data, others=others),
        )
        for _, others, has_data, server in WAYS
    ]


def test_a_cluster_is_founded_only_where_every_other_server_says_that_it_never_was_one():
    for others, has_data, server, decision in decisions("a"):
        alone = all(seen is Seen.NEVER for seen in others.values())
        assert (decision.what == "found") == (server and not has_data and alone)


def test_nobody_but_the_founder_founds():
    assert {decision.what for *_, decision in decisions("z")} == {"join", "wait", "resume"}


def test_who_has_data_goes_on_with_it_whatever_the_others_show():
    for name in ("a", "z"):
        for _, has_data, _, decision in decisions(name):
            assert (decision.what == "resume") == has_data


def test_who_has_no_data_joins_whoever_lives():
    for name in ("a", "z"):
        for others, has_data, _, decision in decisions(name):
            living = [other for other, seen in others.items() if seen is Seen.LIVES]
            assert (decision.what == "join") == (bool(living) and not has_data)
            assert decision.whom == (living[0] if decision.what == "join" else "")


def test_who_waits_says_why_by_name():
    for name in ("a", "z"):
        for others, _, _, decision in decisions(name):
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
    decision = decide("a", "a", server=True, has_data=False, others={"b": seen, "c": Seen.NEVER})

    assert decision.what == "wait"
    assert decision.doubts == (f"b: {seen.value}",)
