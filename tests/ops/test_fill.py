"""Rows of one stack get into another masked, or not at all; machines are played."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ops import fill
from ops.reach import FailedError, Machine, pipe

from .test_database import Answers, Cluster

HERE, THERE = fill.Database(name="ours", owner="o"), fill.Database(name="theirs", owner="o")
MASKING = "UPDATE people SET name = 'somebody';"


@dataclass
class Sent:
    """Takes the place of the pipe between two stacks."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    refuses: bool = False

    def __call__(self, source: Answers, _: str, target: Answers, into: str, **__: object) -> None:
        if self.refuses:
            raise FailedError("cut off")
        self.sent.append((source.name, f"{target.name}: {into}"))


@pytest.fixture
def sent(monkeypatch) -> Sent:
    made = Sent()
    monkeypatch.setattr(fill, "pipe", made)
    return made


def filled(target: Cluster, source: Cluster, into: fill.Database = HERE, masking: str = MASKING):
    fill.fill(target.tier, into, source.tier, THERE, masking=masking, moment="2026-11-20 10:00Z")


def test_a_copy_beside_a_standby_is_masked_sent_to_the_leader_and_thrown_away(sent):
    target, source = Cluster(leader="c"), Cluster(leader="a")
    filled(target, source)

    ((standby, into),) = sent.sent
    assert standby == "b"
    assert into.startswith("c: ")
    assert "--dbname=ours_incoming" in into
    assert source.did("--single-transaction -h /var/lib/postgresql/restored/run theirs") == ["b"]
    assert source.told[-1] == ("b", "systemctl stop database-restored")
    assert target.did("psql") == ["c", "c"]


def test_nothing_is_sent_that_could_not_be_masked_and_the_copy_goes(sent):
    target, source = Cluster(), Cluster(refuses=("--single-transaction",))

    with pytest.raises(FailedError, match="single-transaction"):
        filled(target, source)
    assert not sent.sent
    assert source.told[-1] == ("b", "systemctl stop database-restored")
    assert not target.did("psql")


def test_what_was_cut_off_takes_nobodys_place(sent):
    target, source = Cluster(), Cluster()
    sent.refuses = True

    with pytest.raises(FailedError, match="cut off"):
        filled(target, source)
    assert len(target.did("psql")) == 1


def test_all_that_is_wrong_is_said_before_anything_is_done(sent):
    target, source = Cluster(), Cluster()
    target.states["b"] = source.states["c"] = "stopped"
    with pytest.raises(FailedError) as told:
        filled(target, source, fill.Database(name="ours", owner="me"), "-- nothing\n\n")

    for words in ("stack that is filled", "stack that is taken from", "masking: ", "owner: "):
        assert words in str(told.value)
    assert not [*source.did("restored"), *source.did("psql"), *target.did("psql"), *sent.sent]


def test_a_stack_that_protects_its_data_is_not_filled(capsys):
    with pytest.raises(SystemExit) as told:
        fill.main(["production", "--from", "production", "--masked-by", "none.sql"])

    assert "is filled from itself" in str(told.value)
    assert "protects its data" in str(told.value)
    assert not capsys.readouterr().out


def shell(name: str) -> Machine:
    return Machine(name=name, command=("sh", "-c"))


def test_a_pipe_carries_every_byte(tmp_path: Path):
    made, got = tmp_path / "made", tmp_path / "got"
    made.write_bytes(bytes(range(256)) * 4096)
    pipe(shell("a"), f"cat {made}", shell("b"), f"cat >{got}", seconds=20)

    assert got.read_bytes() == made.read_bytes()


@pytest.mark.parametrize(
    ("says", "reads", "told"),
    [
        ("echo half; exit 3", "cat >/dev/null", "a: echo half; exit 3: exit 3"),
        ("yes", "echo full >&2; exit 4", "exit 4\nfull"),
    ],
)
def test_a_pipe_fails_with_what_either_end_said(says, reads, told):
    with pytest.raises(FailedError) as failed:
        pipe(shell("a"), says, shell("b"), reads, seconds=20)

    assert told in str(failed.value)


def test_a_pipe_that_does_not_end_is_ended():
    with pytest.raises(FailedError, match="no end after"):
        pipe(shell("a"), "exec sleep 60", shell("b"), "exec cat", seconds=0.2)
