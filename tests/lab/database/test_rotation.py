"""Every secret of the tier is changed while clients use it, and what was used before is refused."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest
import trustme

from lab.machines import Machine
from lab.machines.network import NAMESPACES, entered

from .cache_writes import CacheWrites
from .clients import clients_of, found, in_use, writes
from .proof import sql
from .tier import ROTATED, VIRTUAL, Tier, changes

pytestmark = [pytest.mark.machines, pytest.mark.database]
OTHER = {"first": "second", "second": "first"}
SERVICES_BY_CERTIFICATE = (2379, 2380, 8008)
"""etcd for clients and for members, Patroni."""


def accepted(tier: Tier, name: str, account: str, word: str) -> bool:
    """Tell whether the leader's services let an account in with a word."""
    if name.startswith("redis"):
        asked = f"REDISCLI_AUTH={word} redis-cli --user {account} ping 2>&1 | grep -q PONG"
    else:
        where = f"host=/run/postgresql user={account} dbname=cold_db"
        where = where.replace("cold_db", "postgres") if name != "owner" else where
        asked = f"PGPASSWORD={word} psql -XAtqw -c 'select 1' '{where}' >/dev/null 2>&1"
    return "yes" in tier.machine(tier.leader()).ssh(f"if {asked}; then echo yes; else echo no; fi")


def lets_in(tier: Tier, machine: Machine, port: int, known_by: trustme.CA) -> bool:
    """Tell whether a service of a machine takes a client whom an authority vouches for."""
    address = str(machine.args.address.ip)
    context = ssl.create_default_context(cadata=tier.trusted)
    # Members of etcd look whether the address that asks is one of the certificate's.
    known_by.issue_cert(address).configure_cert(context)
    try:
        with (
            entered(Path(f"/proc/{machine.pid}/ns/net")),
            socket.create_connection((address, port), 5) as plain,
            context.wrap_socket(plain, server_hostname=address) as asked,
        ):
            asked.sendall(b"GET /health HTTP/1.0\r\n\r\n")
            return bool(asked.recv(1))
    except (ssl.SSLError, ConnectionResetError):
        return False


def logged_in(tier: Tier, account: str) -> int:
    """Return how many standbys copy from the leader by an account."""
    who = "select count(*) from pg_stat_replication where usename = '{}' and state = 'streaming'"
    return int(sql(tier, who.format(account)))


@pytest.mark.parametrize("name", ROTATED)
def test_a_secret_is_changed_and_no_request_fails(tier, tmp_path, name):
    workload = clients_of(tier, tmp_path, anew=True)
    cache = CacheWrites(NAMESPACES / tier.lab.place.namespace, VIRTUAL, in_use(tier, "redis")[1])
    old_account, old_word = in_use(tier, name)
    pair = tier.secret[name]
    with workload.running(), cache.running():
        writes(tier, workload)

        used = pair["in_use"]
        pair["in_use"] = OTHER[used]
        tier.apply()
        new_account, new_word = in_use(tier, name)
        if name == "owner":
            workload.where.update(user=new_account, password=new_word)
        if name == "redis":
            cache.password = new_word
        writes(tier, workload)
        assert accepted(tier, name, old_account, old_word)

        pair[used] = f"new-{old_word}"
        tier.apply()
        writes(tier, workload)

    assert not accepted(tier, name, old_account, old_word)
    assert accepted(tier, name, new_account, new_word)
    assert accepted(tier, name, old_account, pair[used])
    assert changes(tier.apply()) == {}
    told = found(workload)
    assert (told["lost"], told["unexpected"], told["unknown"], told["refused"]) == (0, 0, 0, 0)
    assert not workload.connects
    assert not cache.errors
    assert cache.lost() == 0
    if name == "replication":
        assert tier.becomes(lambda: logged_in(tier, new_account) == len(tier.names) - 1, 30)


def test_an_authority_is_changed_and_no_request_fails(tier, tmp_path):
    workload = clients_of(tier, tmp_path, anew=True)
    old = tier.authority
    with workload.running():
        writes(tier, workload)

        tier.authority, tier.spare = tier.spare, old
        tier.identities.clear()
        tier.apply()
        writes(tier, workload)

        tier.spare = trustme.CA()
        tier.identities.clear()
        tier.apply()
        (tmp_path / "ca.pem").write_text(tier.trusted)
        writes(tier, workload)

    for machine in tier.machines:
        for port in SERVICES_BY_CERTIFICATE:
            taken = [lets_in(tier, machine, port, ca) for ca in (tier.authority, tier.spare, old)]
            assert taken == [True, True, False], (machine.name, port)
    assert changes(tier.apply()) == {}
    told = found(workload)
    assert (told["lost"], told["unexpected"], told["unknown"], told["refused"]) == (0, 0, 0, 0)
    assert not workload.connects


def test_what_the_second_account_makes_belongs_to_the_owner(tier, tmp_path):
    workload = clients_of(tier, tmp_path)
    pair = tier.secret["owner"]
    workload.where.update(user="cold_user_2", password=pair["second"])

    with workload.running():
        writes(tier, workload)
    sql(tier, "drop table if exists made_by_second")
    who = "select tableowner from pg_tables where tablename = 'made_by_second'"
    tier.machine(tier.leader()).ssh(
        f"PGPASSWORD={pair['second']} psql -XAtqw -c 'create table made_by_second (n int)'"
        " 'host=/run/postgresql user=cold_user_2 dbname=cold_db'"
    )

    assert sql(tier, who) == "cold_user"
