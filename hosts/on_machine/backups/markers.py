"""Writes a row every few seconds where the leader is: what a restored database is judged by.

Each says when it was written, and how far the log was then; it is written like any other row.
"""

from __future__ import annotations

import time

from .machine import say, sql

EVERY_SECONDS = 5
KEPT_DAYS = 8
# A standby says no to nothing here: it is not asked.
WRITE = f"""
SELECT NOT pg_is_in_recovery() AS leads \\gset
\\if :leads
SET client_min_messages = error;
-- Without a standby a commit waits; whoever gives up waiting must not stay behind.
SET statement_timeout = '15s';
CREATE SCHEMA IF NOT EXISTS platform;
CREATE TABLE IF NOT EXISTS platform.markers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    lsn pg_lsn NOT NULL DEFAULT pg_current_wal_insert_lsn(),
    word text NOT NULL DEFAULT md5(random()::text)
);
CREATE INDEX IF NOT EXISTS markers_at ON platform.markers (at);
DELETE FROM platform.markers WHERE at < clock_timestamp() - interval '{KEPT_DAYS} days';
INSERT INTO platform.markers DEFAULT VALUES;
\\endif
"""  # noqa: S608 - no input of anybody


def main() -> None:
    """Go on until it is stopped; a failure is told once, and when it has ended."""
    failing = ""
    while True:
        try:
            sql(WRITE, seconds=30)
            if failing:
                say("markers are written again")
            failing = ""
        except RuntimeError as error:
            if not failing:
                say(f"no marker was written: {error}")
            failing = str(error)
        time.sleep(EVERY_SECONDS)


if __name__ == "__main__":
    main()
