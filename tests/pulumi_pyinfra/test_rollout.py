"""Who is changed when."""

from __future__ import annotations

import random

import pytest

from pulumi_pyinfra.rollout import digest, next_batch, work


def order(hosts: str, **how) -> list[str]:
    """All batches, one after the other, of an update in which nothing fails."""
    how = {"serial": 1, "canary": True, "last": ()} | how
    left, told = list(hosts), []
    while left:
        batch = next_batch(left, **(how | {"canary": how["canary"] and not told}))
        assert batch
        told.append("".join(batch))
        left = [host for host in left if host not in batch]
    return told


@pytest.mark.parametrize(
    ("how", "batches"),
    [
        ({}, ["a", "b", "c", "d", "e"]),
        ({"serial": 2}, ["a", "bc", "de"]),
        ({"serial": 2, "canary": False}, ["ab", "cd", "e"]),
        ({"serial": 9}, ["a", "bcde"]),
        ({"serial": 9, "canary": False}, ["abcde"]),
        ({"serial": 9, "last": ("a",)}, ["b", "cde", "a"]),
        ({"serial": 2, "last": ("a", "c", "e")}, ["b", "d", "ac", "e"]),
        ({"serial": 9, "last": tuple("abcde")}, ["abcde"]),
    ],
)
def test_a_canary_goes_first_and_the_last_go_last(how, batches):
    assert order("abcde", **how) == batches


def test_every_host_is_changed_once_and_nobody_before_its_time():
    for seed in range(200):
        chance = random.Random(seed)
        hosts = [chr(97 + n) for n in range(chance.randint(1, 12))]
        last = tuple(chance.sample(hosts, chance.randint(0, len(hosts))))
        serial = chance.randint(1, 5)

        told = order("".join(hosts), serial=serial, last=last, canary=chance.random() < 0.5)

        assert sorted("".join(told)) == hosts, seed
        assert max(map(len, told)) <= serial, seed
        early = [any(host not in last for host in batch) for batch in told]
        assert early == sorted(early, reverse=True), seed
        assert not any({*batch} & {*last} and {*batch} - {*last} for batch in told), seed


def test_work_is_what_differs_from_what_was_reached():
    wanted = {"same": "1", "other": "2", "new": "3", "drifted": "4"}
    applied = {"same": "1", "other": "1", "drifted": "4", "gone": "1"}

    todo = work(wanted, applied, ["drifted"])

    assert todo.change == ("other", "new", "drifted")
    assert todo.leave == ("gone",)


def test_a_digest_knows_apart_what_differs():
    told = [
        ("h", "d", {"a": 1}),
        ("h", "d", {"a": "1"}),
        ("h", "e", {"a": 1}),
        ("i", "d", {"a": 1}),
    ]

    assert len({digest(*one) for one in told}) == len(told)
    assert digest("h", {"a": 1, "b": 2}) == digest("h", {"b": 2, "a": 1})
