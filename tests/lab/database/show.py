"""Make evidence of proven backups, on a tier of its own: ``python -m tests.lab.database.show``."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

from lab.machines import BaseImage
from ops import database
from ops.drill import drill
from tests.lab.machines.conftest import ROOT, a_lab

from .proof import archived, markers, operated, sql, told
from .store import Store
from .tier import Tier

EVIDENCE = ROOT / "docs" / "evidence"
TABLE = "select count(*), sum(n), md5(string_agg(n::text, ',' order by n)) from ledger"


def main() -> None:
    """Write the report of a drill, and a table that is there again."""
    with a_lab(BaseImage().obtain()) as lab, TemporaryDirectory() as folder:
        tier = Tier(lab)
        store = Store(lab.network, Path(folder), tier.authority)
        tier.more["backups"] = store.backups()
        with store.running():
            tier.start(*tier.names)
            tier.apply()
            tier.machine(tier.leader()).ssh("systemctl start database-backup@full")
            markers(tier, 4)
            with operated(tier) as ours:
                (EVIDENCE / "drill-report.json").write_text(told(drill(ours)) + "\n")
            (EVIDENCE / "restored-to-a-second-before.txt").write_text(restored(tier))


def restored(tier: Tier) -> str:
    """Return what is said while a dropped table is had again."""
    sql(tier, "create table ledger as select generate_series(1, 100000) as n")
    before = sql(tier, TABLE)
    moment = sql(tier, "select clock_timestamp() from pg_sleep(1)")
    dropped = sql(tier, "select clock_timestamp() from pg_sleep(1)")
    sql(tier, "drop table ledger")
    archived(tier)
    said = io.StringIO()
    with operated(tier) as ours:
        with redirect_stdout(said):
            database.restore_to(ours, moment, None, agreed=True)
        standby = ours.replicas_first()[0]
        look = f"runuser -u postgres -- psql -XAtq -h {database.RESTORED}/run cold_db"
        after = standby.run(look, stdin=TABLE.encode()).strip()
        standby.run("systemctl stop database-restored")
    same = "equal" if after == before else "NOT EQUAL"
    return (
        f"ledger: {before} (rows, sum, digest)\ndropped after {dropped}\n\n"
        f"$ python -m ops.database testing restore-to '{moment}'\n{said.getvalue()}\n"
        f"ledger in the copy: {after}\nwhat was there, and what is there again: {same}\n"
    )


if __name__ == "__main__":
    main()
