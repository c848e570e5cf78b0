"""What the programs decide that run on the machines themselves."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

import pytest
import trustme

from hosts.on_machine import (
    address_guard,
    database_health,
    database_leave,
    database_switchover,
    etcd_join,
    redis_follows,
)
from hosts.on_machine.etcd_join import Settings

NAMES = ("a", "b", "c")
ADDED = """\
ETCD_NAME="a"
ETCD_INITIAL_CLUSTER="b=x,a=y"
ETCD_INITIAL_CLUSTER_STATE="existing"
"""


@pytest.fixture
def settings(tmp_path):
    return Settings(
        name="a",
        founder="a",
        cluster="cold",
        data=str(tmp_path / "data"),
        initial=str(tmp_path / "initial.env"),
        joined=str(tmp_path / "joined"),
        peer_urls={name: f"https://{name}:2380" for name in NAMES},
        client_urls={name: f"https://{name}:2379" for name in NAMES},
        addresses=dict.fromkeys(NAMES, "127.0.0.1"),
        tls=str(tmp_path),
    )


class Etcd:
    """A cluster that answers etcdctl's questions."""

    def __init__(self, *members: tuple[str, str, bool], healthy: bool = True) -> None:
        self.members = {number: (url, learner) for number, url, learner in members}
        self.healthy = healthy
        self.asked: list[tuple[str, ...]] = []
        self.started = 0

    def __call__(self, _: Settings, __: str, *words: str) -> subprocess.CompletedProcess[str]:
        self.asked.append(words)
        code, said = 0, ""
        match words:
            case ("endpoint", "health"):
                code = 0 if self.healthy else 1
            case ("member", "list"):
                said = "".join(
                    f"{number}, started, x, {url}, , {str(learner).lower()}\n"
                    for number, (url, learner) in self.members.items()
                )
            case ("member", "remove", number):
                del self.members[number]
            case ("member", "promote", number):
                self.members[number] = (self.members[number][0], False)
            case ("member", "add", _, "--learner", url):
                self.members["new"] = (url.partition("=")[2], True)
                said = ADDED
        return subprocess.CompletedProcess(words, code, said, "")


@pytest.fixture
def ports(monkeypatch):
    """Nobody listens where a member would, nor where one would that was a member."""
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        free = [taken.getsockname()[1] for taken in (one, other)]
    for name, port in zip(("_CLIENT_PORT", "_MARK_PORT"), free, strict=True):
        monkeypatch.setattr(etcd_join, name, port)
    return free


@pytest.fixture
def cluster(monkeypatch):
    def have(etcd: Etcd) -> Etcd:
        monkeypatch.setattr(etcd_join, "etcdctl", etcd)
        monkeypatch.setattr(etcd_join, "start", lambda: setattr(etcd, "started", etcd.started + 1))
        return etcd

    return have


def test_a_new_member_takes_the_place_of_its_ghost_and_votes_last(settings, cluster, tmp_path):
    etcd = cluster(Etcd(("1", "https://a:2380", False), ("2", "https://b:2380", False)))

    etcd_join.become_member(settings, deadline=1e12)

    changed = [words[1] for words in etcd.asked if words[0] == "member" and words[1] != "list"]
    assert changed == ["remove", "add", "promote"]
    assert etcd.started == 1
    assert etcd.members == {"2": ("https://b:2380", False), "new": ("https://a:2380", False)}
    assert (tmp_path / "initial.env").read_text().splitlines() == [
        'ETCD_INITIAL_CLUSTER="b=x,a=y"',
        'ETCD_INITIAL_CLUSTER_STATE="existing"',
    ]


def test_a_member_that_was_interrupted_goes_on_and_is_not_added_twice(settings, cluster, tmp_path):
    (tmp_path / "data" / "member").mkdir(parents=True)
    etcd = cluster(Etcd(("2", "https://b:2380", False), ("9", "https://a:2380", True)))

    etcd_join.become_member(settings, deadline=1e12)

    assert ("member", "promote", "9") in etcd.asked
    assert not [words for words in etcd.asked if words[:2] == ("member", "add")]


@pytest.mark.usefixtures("ports")
def test_the_founder_founds_where_nobody_listens(settings, cluster, tmp_path):
    etcd = cluster(Etcd(healthy=False))

    etcd_join.become_member(settings, deadline=0)

    assert etcd.started == 1
    assert 'ETCD_INITIAL_CLUSTER_STATE="new"' in (tmp_path / "initial.env").read_text()


@pytest.mark.parametrize(
    ("listens", "why"),
    [(0, "has a member, but its cluster has no quorum"), (1, "has been a member")],
)
def test_nobody_founds_a_second_cluster(settings, cluster, ports, listens, why):
    etcd = cluster(Etcd(healthy=False))
    with (
        socket.create_server(("127.0.0.1", ports[listens])),
        pytest.raises(SystemExit, match=why),
    ):
        etcd_join.become_member(settings, deadline=0)

    assert etcd.started == 0


def test_nobody_but_the_founder_founds(settings, cluster):
    etcd = cluster(Etcd(healthy=False))
    other = Settings(**{**asdict(settings), "name": "b"})

    with pytest.raises(SystemExit, match="only the founder may found"):
        etcd_join.become_member(other, deadline=0)
    assert etcd.started == 0


PATRONI = {
    "a": {"state": "running", "role": "Leader"},
    "b": {"state": "streaming", "role": "Quorum Standby"},
}


@pytest.mark.parametrize(
    ("healthy", "cluster", "missing"),
    [
        ({"b", "c"}, PATRONI, []),
        ({"b"}, PATRONI, ["etcd: 2 healthy members needed, there are 1: ['b']"]),
        ({"b", "c"}, {"a": PATRONI["a"]}, ["PostgreSQL: no other member streams or leads"]),
    ],
)
def test_who_is_needed_may_not_leave(healthy, cluster, missing):
    assert database_leave.without("a", {"a", "b", "c"}, healthy, cluster) == missing


@pytest.mark.parametrize(
    ("as_primary", "said", "well"),
    [
        ({"status": 200}, {"status": 200}, True),
        ({"status": 503}, {"role": "primary", "state": "running"}, False),
        ({"status": 503}, {"role": "replica", "replication_state": "streaming"}, True),
        ({"status": 503}, {"role": "replica", "replication_state": "in archive recovery"}, False),
        ({"status": 503}, {"role": "replica", "state": "creating replica"}, False),
        ({"error": "x"}, {"error": "x"}, False),
    ],
)
def test_a_database_is_well_if_it_leads_or_streams(as_primary, said, well):
    assert (database_health.wrong_with_postgresql(as_primary, said) is None) is well


@pytest.mark.parametrize(
    ("here", "silences", "stale"),
    [(True, 0, False), (False, 0, True), (None, 1, False), (None, 2, True)],
)
def test_the_guard_takes_a_no_at_once_and_silence_twice(here, silences, stale):
    assert address_guard.stale(here, silences) is stale


def test_the_guard_trusts_an_authority_that_was_exchanged_while_it_ran(tmp_path):
    authority = tmp_path / "ca.pem"
    leader = address_guard.Leader("https://127.0.0.1:{}/primary", str(authority))

    def asked() -> bool | None:
        made = trustme.CA()
        authority.write_bytes(made.cert_pem.bytes())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.issue_cert("127.0.0.1").configure_cert(context)
        with HTTPServer(("127.0.0.1", 0), Primary) as server:
            server.socket = context.wrap_socket(server.socket, server_side=True)
            leader._url = urlsplit(f"https://127.0.0.1:{server.server_port}/primary")
            thread = threading.Thread(target=server.handle_request)
            thread.start()
            answer = leader.is_here()
            thread.join()
        return answer

    assert asked() is True
    assert leader.is_here() is None, "that server is gone"
    assert asked() is True


class Primary(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_socket_tells_whether_an_address_is_here():
    assert address_guard.holds("127.0.0.1")
    assert not address_guard.holds("192.0.2.1")


@pytest.mark.parametrize(
    ("here", "follows", "command"),
    [
        (True, ("master", "0"), ()),
        (True, ("slave", "10.0.0.1", "6379"), ("REPLICAOF", "NO", "ONE")),
        (False, ("slave", "10.0.0.1", "6379"), ()),
        (False, ("slave", "10.0.0.9", "6379"), ("REPLICAOF", "10.0.0.1", "6379")),
        (False, ("master", "0"), ("REPLICAOF", "10.0.0.1", "6379")),
    ],
)
def test_redis_is_the_master_where_the_address_is(here, follows, command):
    assert redis_follows.wanted(here, follows, "10.0.0.1", "6379") == command


def test_redis_is_understood():
    ours, theirs = socket.socketpair()
    answers = [b"+OK\r\n", b"*3\r\n$5\r\nslave\r\n$8\r\n10.0.0.1\r\n:6379\r\n", b"-NOAUTH no\r\n"]

    def serve() -> None:
        for answer in answers:
            theirs.recv(100)
            theirs.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    redis = redis_follows.Redis(ours)
    assert redis.ask("AUTH", "a", "b") == ["OK"]
    assert redis.ask("ROLE") == ["slave", "10.0.0.1", "6379"]
    with pytest.raises(ValueError, match="NOAUTH"):
        redis.ask("ROLE")
    thread.join()

    ours.close()
    theirs.close()


CLUSTER = [
    {"name": "a", "role": "leader", "state": "running"},
    {"name": "b", "role": "quorum_standby", "state": "streaming", "tags": {"failover_priority": 9}},
    {"name": "c", "role": "quorum_standby", "state": "streaming", "tags": {"failover_priority": 8}},
    {"name": "d", "role": "replica", "state": "streaming", "tags": {"failover_priority": 10}},
    {"name": "e", "role": "quorum_standby", "state": "in archive recovery"},
]


def test_the_best_synchronous_standby_takes_over():
    assert database_switchover.chosen("a", "best", CLUSTER) == "b"
    assert database_switchover.chosen("a", "c", CLUSTER) == "c"


@pytest.mark.parametrize(
    ("me", "wish", "why"),
    [
        ("b", "best", "does not lead"),
        ("a", "d", "no sync"),
        ("a", "e", "no sync"),
        ("a", "z", "no sync"),
    ],
)
def test_nobody_else_may_take_over(me, wish, why):
    with pytest.raises(SystemExit, match=why):
        database_switchover.chosen(me, wish, CLUSTER)


@pytest.fixture
def replication(monkeypatch, tmp_path):
    """A machine whose Patroni has settings, and a leader elsewhere."""
    settings, patroni = tmp_path / "health.json", tmp_path / "config.yml"
    settings.write_text('{"api": "https://a", "authority": null}')
    account = "{username: replicator, password: canary, sslmode: verify-full, sslrootcert: ca}"
    patroni.write_text(
        f"postgresql: {{connect_address: 'a:5432', authentication: {{replication: {account}}}}}"
    )
    monkeypatch.setattr(database_health, "SETTINGS", settings)
    monkeypatch.setattr(database_health, "PATRONI", patroni)
    told = {"members": [{"role": "leader", "host": "b"}, {"role": "replica", "host": "a"}]}
    monkeypatch.setattr(database_health, "answer", lambda *_: told)
    return told


@pytest.mark.usefixtures("replication")
def test_replication_is_tried_at_the_leader_and_at_home_with_no_password_in_sight(monkeypatch):
    asked = {}

    def psql(words, **more):
        asked[words[-1].split()[0]] = more["env"]["PGPASSWORD"]
        assert "canary" not in " ".join(words)
        return subprocess.CompletedProcess(words, 0, "", "")

    monkeypatch.setattr(subprocess, "run", psql)

    assert database_health.login() is None
    assert asked == {"host=a": "canary", "host=b": "canary"}


def test_a_login_that_fails_says_where(replication, monkeypatch):
    def psql(words, **_):
        refused = "host=b" in words[-1]
        return subprocess.CompletedProcess(words, int(refused), "", "no such password\n")

    monkeypatch.setattr(subprocess, "run", psql)
    assert database_health.login() == "login: replication from a to b: no such password"

    replication["members"] = []
    assert database_health.login() == "login: nobody leads"
