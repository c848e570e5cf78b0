"""Each alert of the database tier fires when it should and is silent when all is well.

promtool, which belongs to Prometheus, evaluates the rules on series that stand here.
"""

from __future__ import annotations

from components.settings import PROJECT

from .rules import alerts_in

RULES = PROJECT / "components" / "alerts" / "database.yaml"
ALERTS = alerts_in(RULES)
NODE, ADDRESS = 'machine="db-node1"', "192.168.15.210"
NODES = tuple(f'machine="db-node{number}"' for number in (1, 2, 3))
DAY, FULL = 86_400, 10 * 1024**3


def each(series: str, *values: object, more: str = "") -> dict[str, str]:
    """Return a series of each machine, with a value for each."""
    return {
        f"{series}{{{node}{more}}}": f"{value}x200"
        for node, value in zip(NODES, values, strict=False)
    }


def held(*holders: int) -> dict[str, str]:
    """Return three machines, of which some have the address on their card."""
    up = each("up", 1, 1, 1, more=f',job="node",virtual_address="{ADDRESS}"')
    cards = {
        f'node_network_address_info{{{NODES[n]},device="eth0",address="{ADDRESS}",'
        f'virtual_address="{ADDRESS}"}}': "1x200"
        for n in holders
    }
    others = each("node_network_address_info", 1, 1, 1, more=',device="eth0",address="10.0.0.1"')
    return up | cards | others


def disk(free: float) -> dict[str, str]:
    """Return a data disk of which so much is free."""
    more = ',job="node",mountpoint="/var/lib/postgresql",fstype="ext4"'
    return each("node_filesystem_avail_bytes", free * FULL, more=more) | each(
        "node_filesystem_size_bytes", FULL, more=more
    )


def slow(slower: float) -> dict[str, str]:
    """Return etcd's writes, of which a part takes longer than 10 ms."""
    name = "etcd_disk_wal_fsync_duration_seconds_bucket"
    return {
        f'{name}{{{NODE},le="{le}"}}': f"0+{rate}x200"
        for le, rate in (("0.008", 100 - slower), ("0.128", 100), ("+Inf", 100))
    }


LEADER = each("patroni_primary", 1, 0, 0)
STANDBYS = each("patroni_sync_standby", 0, 1, 0) | each("patroni_quorum_standby", 0, 0, 0)
CASES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    # by alert: series with which it fires, series with which it does not
    "DatabaseMemberDown": (
        each("patroni_postgres_running", 1, 0, 1),
        each("patroni_postgres_running", 1, 1, 1),
    ),
    "DatabaseWithoutLeader": (each("patroni_primary", 0, 0, 0), LEADER),
    "DatabaseWithTwoLeaders": (each("patroni_primary", 1, 1, 0), LEADER),
    "DatabaseWithoutSynchronousStandby": (
        each("patroni_sync_standby", 0, 0, 0) | each("patroni_quorum_standby", 0, 0, 0),
        STANDBYS,
    ),
    "DatabaseStandbyLags": (
        LEADER
        | each("patroni_xlog_location", 10**9, 0, 0)
        | each("patroni_xlog_replayed_location", 0, 10**9, 5 * 10**8),
        LEADER
        | each("patroni_xlog_location", 10**9, 0, 0)
        | each("patroni_xlog_replayed_location", 0, 10**9, 9 * 10**8),
    ),
    "DatabasePaused": (each("patroni_is_paused", 1, 1, 1), each("patroni_is_paused", 0, 0, 0)),
    "DatabaseConnectionsNearlyUsedUp": (
        each("pg_stat_activity_count", 90) | each("pg_settings_max_connections", 100),
        each("pg_stat_activity_count", 50) | each("pg_settings_max_connections", 100),
    ),
    "DatabaseAddressNowhere": (held(), held(0)),
    "DatabaseAddressTwice": (held(0, 1), held(0)),
    "DatabaseAddressWithoutLeader": (held(1) | LEADER, held(0) | LEADER),
    "DatabaseArchiveFailing": (
        each("database_archive_oldest_waiting_seconds", 600),
        each("database_archive_oldest_waiting_seconds", 20) | each("database_archive_faults", 0),
    ),
    "DatabaseArchiveUnwatched": ({}, each("database_archive_faults", 0)),
    "DatabaseArchiveHasAGap": (
        each("database_archive_missing_pieces", 2),
        each("database_archive_missing_pieces", 0),
    ),
    "DatabaseBackupTooOld": (
        each("database_backup_last_timestamp_seconds", -2 * DAY),
        each("database_backup_last_timestamp_seconds", -DAY / 2),
    ),
    "DatabaseDumpTooOld": (
        each("database_dump_last_timestamp_seconds", -2 * DAY),
        each("database_dump_last_timestamp_seconds", -DAY / 2),
    ),
    "DatabaseDrillFailed": (
        each("database_drill_proven", 1, 0)
        | each("database_drill_last_timestamp_seconds", -2 * DAY, -DAY),
        each("database_drill_proven", 0, 1)
        | each("database_drill_last_timestamp_seconds", -2 * DAY, -DAY),
    ),
    "DatabaseDrillTooOld": (
        each("database_drill_last_proven_timestamp_seconds", -9 * DAY),
        each("database_drill_last_proven_timestamp_seconds", -7 * DAY),
    ),
    "DatabaseDiskFilling": (disk(0.1), disk(0.5)),
    "DatabaseDiskFull": (disk(0.01), disk(0.1)),
    "EtcdWithoutLeader": (
        each("etcd_server_has_leader", 1, 0, 1),
        each("etcd_server_has_leader", 1, 1, 1),
    ),
    "EtcdDiskSlow": (slow(5), slow(0.1)),
}
