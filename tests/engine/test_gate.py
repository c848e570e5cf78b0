"""The gate reads what the real engine says of a change of a stack file."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest
import yaml

from ops import gate
from tests.engine.conftest import by_type, state

pytestmark = pytest.mark.engine


def test_a_bucket_that_a_stack_file_no_longer_names_is_not_deleted_by_a_merge(
    fresh, tmp_path, monkeypatch, capsys
):
    for name, value in fresh.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{fresh.variables['PATH']}:{os.environ['PATH']}")
    waivers = tmp_path / "waivers.yaml"

    def judged() -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            gate.main(["testing", "--project", str(fresh.folder), "--waivers", str(waivers)])
        return int(ended.value.code or 0), capsys.readouterr().out

    fresh.pulumi("up", "--yes", "--skip-preview")
    assert judged() == (0, "nothing that holds data or quorum is deleted or replaced\n")
    assert not [kind for kind in by_type(fresh) if "nobody has said" in gate.lost_with(kind)]

    without = {k: v for k, v in fresh.section("kubernetes").items() if k != "snapshots"}
    fresh.replace("kubernetes", without)
    code, told = judged()
    assert code == 1
    (bucket,) = [line.split()[-1] for line in told.splitlines() if "R2Bucket::" in line]
    assert "backups" in told

    today = datetime.now(UTC).date()
    waiver = {"urn": bucket, "reason": "kept elsewhere now", "author": "anna", "expires": today}
    waivers.write_text(yaml.safe_dump([waiver]))
    code, told = judged()
    assert code == 0
    assert f"until {today} by anna: kept elsewhere now" in told
    assert bucket in {r["urn"] for r in state(fresh)["resources"]}
