"""The faults that people can make by hand, from their words to what is called."""

from __future__ import annotations

import argparse

import pytest

from lab import by_hand
from lab.machines import Place, faults
from lab.machines.host import HostError


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    by_hand.add_commands(parser)
    return parser.parse_args(words)


@pytest.fixture
def place(tmp_path):
    place = Place("byhand", tmp_path)
    for name in ("a", "b"):
        folder = place.machine_folder(name)
        folder.mkdir(parents=True)
        (folder / "machine.json").write_text("{}")
        (folder / "root.raw").touch()
    return place


@pytest.fixture
def asked(place, monkeypatch):
    """Every fault is recorded instead of made."""
    made = []
    monkeypatch.setattr(by_hand, "place_of", lambda _: place)
    monkeypatch.setattr(by_hand, "_wait_for_the_end", lambda: made.append("waited"))
    for name in ("partition", "isolation", "packet_loss", "delayed", "slow_disk", "full_disk",
                 "paused"):  # fmt: skip

        class Made:
            def __init__(self, *machines, name=name, **how):
                self.told = (name, [getattr(m, "name", m) for m in machines], how)

            def __enter__(self):
                made.append(self.told)

            def __exit__(self, *_):
                made.append("healed")

        monkeypatch.setattr(faults, name, Made)
    return made


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("isolation", "a"), ("isolation", ["a"], {})),
        (("loss", "a", "30"), ("packet_loss", ["a", 30], {})),
        (("delay", "a", "50"), ("delayed", ["a", 0.05], {})),
        (("slow-disk", "a", "20", "64"), ("slow_disk", ["a"], {"operations": 20, "kib": 64})),
        (("full-disk", "a", "/var"), ("full_disk", ["a", "/var"], {})),
        (("pause", "b"), ("paused", ["b"], {})),
    ],
)
def test_a_fault_lasts_until_it_is_ended(asked, words, told):
    by_hand.act("testing", parsed(*words))

    assert asked == [told, "waited", "healed"]


def test_a_partition_has_two_sides_and_may_be_one_way(asked):
    by_hand.act("testing", parsed("partition", "a", "b", "--one-way"))

    ((_, one_side, how), *_) = asked
    assert one_side == ["a"]
    assert [machine.name for machine in how["away_from"]] == ["b"]
    assert how["one_way"]


def test_a_machine_that_is_not_there_is_told_with_those_that_are(asked):
    with pytest.raises(HostError, match="c: no such machine; there are a, b"):
        by_hand.act("testing", parsed("isolation", "c"))

    assert not asked
