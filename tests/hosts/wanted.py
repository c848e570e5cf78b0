"""What tests want of a database machine."""

from __future__ import annotations

from typing import Any

from hosts.database_node import DatabaseNode
from pulumi_pyinfra import typed

PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\ncanary-key\n-----END PRIVATE KEY-----\n"


def pair(word: str, in_use: str = "first") -> dict[str, str]:
    """Return a secret's two words."""
    return {"first": f"canary-{word}", "second": f"canary-other-{word}", "in_use": in_use}


PASSWORDS = {
    name: pair(name) for name in ("replication", "rewind", "pooler", "redis", "redis_replication")
}


def arguments(**more: Any) -> dict[str, Any]:
    """Return plain data, as it comes from the program."""
    size = {"memory_mib": 8192, "cores": 4, "disk_gib": 50}
    members = {
        f"db-node{n}": {"address": f"192.168.15.{119 + n}", "priority": 110 - 10 * n, "size": size}
        for n in (1, 2, 3)
    }
    return {
        "name": "db-node1",
        "identity": {"authority": PEM, "certificate": PEM, "key": KEY},
        "cluster": "cold",
        "members": members,
        "virtual_address": "192.168.15.210/24",
        "router_id": 210,
        "interface": "eth0",
        "clients": ["192.168.15.110/32", "192.168.15.111/32"],
        "operators": ["192.168.15.0/28"],
        "databases": [{"name": "cold_db", "owner": "cold_user", "password": pair("owner")}],
        "passwords": PASSWORDS,
        "backups": {
            "store": {
                "endpoint": "account.r2.example",
                "bucket": "cold-db-backups",
                "region": "auto",
                "key": "canary-key-id",
                "key_secret": "canary-key-secret",
            },
            "passphrase": pair("passphrase"),
        },
        "data_disk": "/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-scsi1",
        **more,
    }


def node(**more: Any) -> DatabaseNode:
    """Return the contract of one machine, read as a worker reads it."""
    reading = typed.read(DatabaseNode, arguments(**more))
    assert isinstance(reading.value, DatabaseNode), reading.faults
    return reading.value


def faults(**more: Any) -> list[str]:
    """Return what is wrong with arguments."""
    return [str(fault) for fault in typed.read(DatabaseNode, arguments(**more)).faults]
