"""Which repository a restore begins with, after the passphrase was changed."""

from __future__ import annotations

from hosts.on_machine.backups import machine


def test_a_restore_begins_with_the_repository_in_use_unless_only_the_one_before_is_old_enough(
    monkeypatch,
):
    ends = {machine.IN_USE: [200.0], machine.BEFORE: [100.0]}

    def repository(_: str, *, may_be_new: bool, settings: str) -> dict[str, object]:
        assert may_be_new
        return {"backup": [{"timestamp": {"stop": end}} for end in ends[settings]]}

    monkeypatch.setattr(machine, "repository", repository)

    assert machine.holding("c") == machine.holding("c", 201.0) == machine.IN_USE
    assert machine.holding("c", 150.0) == machine.BEFORE
    assert machine.holding("c", 50.0) is None
    ends[machine.IN_USE] = []
    assert machine.holding("c") == machine.BEFORE


def test_a_piece_of_log_is_looked_for_where_the_backup_is_and_then_in_the_other_repository():
    said = machine.fetching("c", machine.BEFORE).split(" || ")

    assert [machine.BEFORE in said[0], machine.IN_USE in said[1]] == [True, True]
