"""What a witness concludes: held against what really was, in histories drawn at random."""

from __future__ import annotations

import random

import pytest

from hosts.on_machine.fencing.decision import (
    ASLEEP_SECONDS,
    FRESH_SECONDS,
    Heard,
    Leader,
    Silence,
    View,
    Vote,
    agreed,
    all_cut,
)
from hosts.on_machine.fencing.signs import EVERY_SECONDS, checksum

MEMBERS = frozenset({"a", "b", "c"})
LED_BY_A = Leader("a", "77", 5)
LEAST = 3.0


def view(**votes: Vote | None) -> View:
    return View(LED_BY_A, votes, dict.fromkeys(votes, 1), None)


def silent(seconds: float = LEAST, leader: Leader = LED_BY_A) -> Vote:
    return Vote(leader, seconds)


@pytest.mark.parametrize("seed", range(200))
def test_a_silence_is_never_thought_longer_than_it_was(seed):
    """Whatever the clock of the one who asks does, and however often it sleeps."""
    draw = random.Random(seed)
    began, lasts = draw.uniform(1, 20), draw.uniform(0, 8)
    now, known = 0.0, Silence(0.0)
    asked = now
    while now < 30:
        now += draw.choice([EVERY_SECONDS, draw.uniform(0.01, 0.9), draw.uniform(0.9, 6)])
        # The question of the last time was answered unless it was asked in the silence.
        known = known.after(now, answered=not began <= asked < began + lasts)
        asked = now
        assert known.seconds <= lasts
        assert known.seconds <= max(0, now - began)


@pytest.mark.parametrize("seed", range(50))
def test_a_silence_that_lasts_is_known_soon(seed):
    draw = random.Random(seed)
    now, known = 0.0, Silence(0.0)
    while known.seconds < LEAST:
        now += draw.uniform(0.5, 1.5) * EVERY_SECONDS
        known = known.after(now, answered=now < 10)
    assert now < 10 + LEAST + 4 * EVERY_SECONDS


@pytest.mark.parametrize("seed", range(200))
def test_late_news_make_a_silence_shorter_and_never_longer_than_it_was(seed):
    draw = random.Random(seed)
    known, now, began = Silence(0.0), 0.0, draw.uniform(1, 5)
    while now < 12:
        asked, now = now, now + draw.uniform(0.5, 1.5) * EVERY_SECONDS
        known = known.after(now, answered=asked < began)
        lived = draw.uniform(0, now)
        if draw.random() < 0.1:
            before, known = known.seconds, known.lived(lived)
            began = max(began, lived)
            assert known.seconds <= before
        assert known.seconds <= max(0, now - began)


@pytest.mark.parametrize("seed", range(10))
def test_a_network_that_loses_a_third_of_all_packets_is_no_silence(seed):
    """Ten minutes of pings alone: 30 % lost there, and 30 % of what comes back."""
    draw = random.Random(seed)
    now, known, longest = 0.0, Silence(0.0), 0.0
    while now < 600:
        now += EVERY_SECONDS
        known = known.after(now, answered=draw.random() < 0.7 * 0.7)
        longest = max(longest, known.seconds)
    assert 0.5 < longest < LEAST


def test_who_slept_forgets_what_it_did_not_hear():
    known = Silence(0.0).after(0.5, answered=False).after(1.0, answered=False)
    assert known.seconds == 0.5

    assert known.after(1.0 + ASLEEP_SECONDS + 0.1, answered=False).seconds == 0


def test_two_of_three_are_a_majority_and_one_is_not():
    assert agreed(view(b=silent(), c=silent()), MEMBERS, MEMBERS, LEAST)
    assert not agreed(view(b=silent()), MEMBERS, MEMBERS, LEAST)


@pytest.mark.parametrize("seed", range(300))
def test_a_leader_is_fenced_only_by_a_majority_that_says_so_now_and_of_it(seed):
    draw = random.Random(seed)
    size = draw.randint(1, 7)
    members = frozenset("abcdefg"[:size])
    others = [Leader("a", "77", 4), Leader("a", "78", 5), Leader("b", "77", 5)]
    votes = {
        name: draw.choice(
            [None, silent(), silent(), silent(), silent(2.9), silent(9, draw.choice(others))]
        )
        for name in "abcdefgh"
    }
    fresh = frozenset(name for name in votes if draw.random() < 0.8)

    counted = [n for n in members & fresh - {"a"} if votes[n] == silent()]
    assert agreed(view(**votes), fresh, members, LEAST) is (len(counted) > size / 2)


def test_the_leader_has_no_vote_against_itself():
    assert not agreed(view(a=silent(), b=silent()), MEMBERS, MEMBERS, LEAST)


@pytest.mark.parametrize(
    "more",
    [
        {"leader": None},
        {"leader": Leader("stranger", "77", 5)},
        {"fenced": silent()},
        {"fenced": silent(leader=Leader("b", "1", 1))},
        {"paused": True},
    ],
)
def test_nobody_is_fenced_without_a_leader_soon_after_another_or_in_a_pause(more):
    asked = {"leader": LED_BY_A, "fenced": None, "paused": False} | more
    votes = dict.fromkeys("bc", silent(leader=asked["leader"] or LED_BY_A))
    told = View(votes=votes, revisions={"b": 1, "c": 1}, **asked)

    assert not agreed(told, MEMBERS, MEMBERS, LEAST)


def test_what_stood_there_at_the_first_look_is_not_fresh():
    heard = Heard().after(100, {"b": 7})
    assert not heard.fresh(100)

    heard = heard.after(101, {"b": 8})
    assert heard.fresh(101) == {"b"}
    assert heard.within(0, 101) == {"b"}
    heard = heard.after(101.2, {"b": 8})
    assert heard.fresh(101.2) == {"b"}
    assert not heard.within(0, 101.2)
    assert not heard.after(102.1, {"b": 8}).fresh(101 + FRESH_SECONDS + 0.1)


def test_a_vote_reads_as_it_was_written_and_anything_else_is_none():
    vote = Vote(LED_BY_A, 3.25, cut=True)
    assert Vote.of(vote.text) == vote
    for text in ("", "{}", "[]", '{"name": 1}', "null", '{"name":"a","lease":"1","since":"x"}'):
        assert Vote.of(text) is None


def test_it_is_waited_for_those_that_are_heard_and_for_nobody_else():
    cut = Vote(LED_BY_A, 0, cut=True)
    assert all_cut(view(b=cut, c=cut), frozenset("bc"), LED_BY_A)
    assert all_cut(view(b=cut, c=silent()), frozenset("ab"), LED_BY_A)
    assert not all_cut(view(b=cut, c=silent()), frozenset("bc"), LED_BY_A)


def test_the_checksum_is_that_of_the_internet():
    """RFC 1071, section 3: sums of words, folded; a packet with its checksum sums up to zero."""
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D
