"""What the programs decide that prove backups: which log is missing, what a restored row means."""

from __future__ import annotations

import io
import json
import ssl
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import trustme
from botocore.exceptions import ClientError, EndpointConnectionError

from hosts.on_machine.backups import archive, drill, dumps, log, machine, preflight
from hosts.on_machine.backups.store import Store

LEADER = {"name": "a", "role": "leader", "state": "running", "tags": {"failover_priority": 100}}
SECOND = {"name": "b", "role": "replica", "state": "streaming", "tags": {"failover_priority": 90}}
THIRD = {"name": "c", "role": "replica", "state": "streaming", "tags": {"failover_priority": 80}}


def piece(timeline: int, number: int) -> str:
    return log.name_of(timeline, number)


def test_a_piece_of_log_is_known_by_its_name():
    assert log.place("000000020000000100000003") == (2, 259)
    assert piece(2, 259) == "000000020000000100000003"
    assert log.end_of("000000010000000000000001") == 2 << 24
    key = "cold/archive/cold/17-1/0000000100000000/000000010000000000000007-" + "a" * 40 + ".zst"
    assert log.pieces([key, key.replace("7-", "8.partial-")]) == {"000000010000000000000007"}


@pytest.mark.parametrize(
    ("found", "gaps"),
    [
        ([(1, 5), (1, 6), (1, 7)], []),
        ([(1, 5), (1, 7)], [(1, 6)]),
        ([(1, 6)], [(1, 5)]),
        ([], []),
        ([(1, 5), (1, 6), (2, 6), (2, 7)], []),
        ([(1, 5), (1, 6), (2, 7), (2, 8)], []),
        ([(1, 5), (1, 6), (2, 8)], [(2, 7)]),
        ([(1, 5), (1, 9), (2, 6)], [(1, 6), (1, 7), (1, 8)]),
        ([(1, 1), (1, 3), (1, 5), (1, 6)], []),
    ],
)
def test_a_hole_in_the_log_is_found_also_where_a_timeline_ends(found, gaps):
    names = [piece(*where) for where in found]

    assert log.missing(names, piece(1, 5)) == [piece(*where) for where in gaps]


def test_heavy_work_is_the_standbys_that_is_least_wanted_as_leader():
    assert machine.heavy_worker([LEADER, SECOND, THIRD]) == "c"
    assert machine.heavy_worker([LEADER, SECOND, {**THIRD, "state": "stopped"}]) == "b"
    assert machine.heavy_worker([LEADER]) == "a"
    assert machine.heavy_worker([]) is None


def test_metrics_are_whole_and_readable(tmp_path):
    machine.write_metrics("x", {"a": 1, 'b{c="d"}': 2.5}, tmp_path)

    assert [file.name for file in tmp_path.iterdir()] == ["x.prom"]
    assert (tmp_path / "x.prom").read_text() == 'a 1\nb{c="d"} 2.5\n'
    assert (tmp_path / "x.prom").stat().st_mode & 0o777 == 0o644


LIVE = {1: (10.0, "x"), 2: (20.0, "y"), 3: (30.0, "z")}


@pytest.mark.parametrize(
    ("restored", "wrong"),
    [
        ({1: (10.0, "x"), 2: (20.0, "y")}, {}),
        ({1: (10.0, "x")}, {"missing": 1}),
        ({1: (10.0, "x"), 2: (20.0, "other")}, {"altered": 1}),
        ({1: (10.0, "x"), 2: (20.0, "y"), 3: (30.0, "z")}, {"unexpected": 1}),
        ({1: (10.0, "x"), 2: (20.0, "y"), 9: (15.0, "?")}, {"unexpected": 1}),
    ],
)
def test_a_restored_database_is_judged_by_its_markers(restored, wrong):
    found = drill.verdict(LIVE, restored, target=25.0)

    assert found.pop("expected") == 2
    assert {what: n for what, n in found.items() if n} == wrong


def test_a_row_at_the_very_moment_may_be_there_or_not():
    for restored in ({1: LIVE[1]}, {1: LIVE[1], 2: LIVE[2]}):
        found = drill.verdict(LIVE, restored, target=20.5)
        assert not any(n for what, n in found.items() if what != "expected")


def test_what_would_be_lost_ends_with_the_last_piece_that_is_archived():
    found = {"archive": [{"max": piece(1, 3)}, {"max": None}]}
    rows = [("0/3FFFFFF", 10.0), ("0/4000000", 20.0)]

    assert drill.newest_archived(found, [("0/3FFFFF0", 5.0), *rows]) == 10.0
    assert drill.newest_archived({"archive": [{"max": piece(1, 2)}]}, rows) is None
    assert drill.newest_archived({"archive": []}, rows) is None


def test_the_moment_lies_after_a_backup_and_before_what_is_archived():
    backups = [
        {"label": "old", "timestamp": {"stop": 100}, "error": False},
        {"label": "new", "timestamp": {"stop": 200}, "error": False},
        {"label": "bad", "timestamp": {"stop": 150}, "error": True},
    ]
    seen = set()
    for _ in range(200):
        target, backup = drill.drawn(backups, newest=300.0, now=400.0)
        assert 101 <= target <= 299
        assert backup["timestamp"]["stop"] < target
        seen.add(backup["label"])
    assert seen == {"old", "new"}
    with pytest.raises(ValueError, match="no moment"):
        drill.drawn(backups[:1], newest=101.5, now=400.0)


def test_a_piece_that_waits_too_long_is_an_alarm(monkeypatch):
    monkeypatch.setattr(archive, "sql", lambda _: "12")
    waits = archive.waiting("000000010000000000000001|400.5\n000000010000000000000002|3")

    faults, values = archive.archiving(waits, late=300)
    assert faults == ["2 pieces of log wait to be archived, the oldest for 400 s"]
    assert values["database_archive_waiting_pieces"] == 2
    assert archive.archiving(waits, late=500)[0] == []
    assert archive.archiving({}, late=1)[0] == []


def test_a_backup_that_is_overdue_is_an_alarm(monkeypatch):
    monkeypatch.setattr(archive.time, "time", lambda: 100 * 3600.0)
    backups = [{"type": "full", "timestamp": {"stop": 80 * 3600}}]

    assert archive.overdue(backups, 24) == []
    assert archive.overdue(backups, 12) == ["the last backup is 20.0 h old, expected at most 12"]
    assert archive.overdue([], 12) == ["there is no backup yet"]
    assert archive.ages(backups) == {
        'database_backup_last_timestamp_seconds{type="full"}': 80 * 3600
    }


class Bucket:
    """Objects in memory, and what of it is refused."""

    bucket, endpoint = "b", "store"

    def __init__(self, refuses: tuple[str, ...] = ()) -> None:
        self.objects: dict[str, bytes] = {}
        self.refuses = refuses
        self.client = self
        self._parts: dict[int, bytes] = {}

    def _may(self, what: str) -> None:
        if what in self.refuses:
            told = {"Error": {"Code": "AccessDenied", "Message": "no"},
                    "ResponseMetadata": {"HTTPStatusCode": 403}}  # fmt: skip
            raise ClientError(told, what)
        if "away" in self.refuses:
            raise EndpointConnectionError(endpoint_url="https://store")

    def put(self, key: str, body: bytes) -> None:
        self._may("put")
        self.objects[key] = body

    def get(self, key: str) -> bytes:
        self._may("get")
        return b"noise" if "flip" in self.refuses else self.objects[key]

    def keys(self, prefix: str, after: str = "", page: int = 0) -> list[str]:  # noqa: ARG002
        self._may("list")
        return sorted(k for k in self.objects if k.startswith(prefix) and k > after)

    def delete(self, key: str) -> None:
        self._may("delete")
        self.objects.pop(key, None)

    def create_multipart_upload(self, **_: object) -> dict[str, str]:
        self._may("multipart")
        return {"UploadId": "1"}

    def upload_part(self, *, PartNumber: int, Body: bytes, **_: object) -> dict[str, str]:  # noqa: N803
        self._parts[PartNumber] = Body
        return {"ETag": str(PartNumber)}

    def complete_multipart_upload(self, *, Key: str, **_: object) -> None:  # noqa: N803
        self.objects[Key] = b"".join(part for _, part in sorted(self._parts.items()))

    def get_object(self, *, Key: str, Range: str, **_: object) -> dict[str, io.BytesIO]:  # noqa: N803
        first, last = map(int, Range.removeprefix("bytes=").split("-"))
        return {"Body": io.BytesIO(self.objects[Key][first : last + 1])}


def test_a_store_that_does_all_that_is_needed_is_trusted_and_left_empty():
    bucket = Bucket()

    assert preflight.Contract(bucket, "p").faults() == []
    assert not bucket.objects


def test_all_that_a_store_refuses_is_told_at_once():
    told = preflight.Contract(Bucket(("multipart", "delete", "list")), "p").faults()

    assert told == [
        "list: 403 AccessDenied: no",
        "multipart, parts of one size: 403 AccessDenied: no",
        "delete: 403 AccessDenied: no",
    ]
    assert "get: what comes back is not what was written" in (
        preflight.Contract(Bucket(("flip",)), "p").faults()
    )


def test_a_store_that_is_away_is_no_store_that_refuses():
    with pytest.raises(EndpointConnectionError):
        preflight.Contract(Bucket(("away",)), "p").faults()


def test_a_store_that_says_slow_down_is_asked_again_later(tmp_path):
    answers = [429, 429, 200]
    asked = []

    class Slow(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 2  # so that a client that keeps its connection does not keep the test

        def do_PUT(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.path)
            self.send_response(answers[len(asked) - 1])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with HTTPServer(("localhost", 0), Slow) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        store = Store(
            {
                "endpoint": f"localhost:{server.server_address[1]}",
                "bucket": "b",
                "region": "auto",
                "key": "k",
                "key_secret": "s",
                "authority": str(tmp_path / "ca.pem"),
                "path_style": True,
            }
        )
        try:
            store.put("x", b"1")
        finally:
            store.client.close()
            server.shutdown()
            thread.join()

    assert asked == ["/b/x"] * 3


def test_old_dumps_are_forgotten_but_never_the_last_that_is_complete(monkeypatch):
    bucket = Bucket()
    monkeypatch.setattr(dumps, "Store", lambda _: bucket)
    made = dumps.Dumps({"cluster": "c", "store": {}, "recipient": "r", "retention_days": 30})
    for when, files in {
        "2026-01-01T03-00-00Z": ("a.dump.age", "complete.json"),
        "2026-01-02T03-00-00Z": ("a.dump.age", "complete.json"),
        "2026-01-03T03-00-00Z": ("a.dump.age",),
        "2026-06-01T03-00-00Z": ("a.dump.age",),
    }.items():
        for file in files:
            bucket.put(f"c-dumps/{when}/{file}", b"x")

    assert made.forget(datetime(2026, 6, 2, tzinfo=UTC)) == 3
    assert made.complete() == ["2026-01-02T03-00-00Z"]
    assert "c-dumps/2026-06-01T03-00-00Z/a.dump.age" in bucket.objects


def test_a_wrong_passphrase_is_told_in_words_though_what_it_opens_is_noise(monkeypatch):
    wrong = {"code": 99, "message": "[FormatError] invalid section \ufffd\u0001\nHINT: encrypted?"}
    found = {"status": {"code": 99, "message": "other"}, "repo": [{"key": 1, "status": wrong}]}
    monkeypatch.setattr(machine, "pgbackrest", lambda *_, **__: json.dumps([found]))

    with pytest.raises(RuntimeError, match="is the passphrase the one") as told:
        machine.repository("cold")
    assert str(told.value).isprintable()


def test_a_repository_that_nobody_made_yet_is_wrong_unless_it_may_be_new(monkeypatch):
    found = {"status": {"code": 1, "message": "missing stanza path"}, "backup": []}
    monkeypatch.setattr(machine, "pgbackrest", lambda *_, **__: json.dumps([found]))

    with pytest.raises(RuntimeError, match="missing stanza path"):
        machine.repository("cold")
    assert machine.repository("cold", may_be_new=True)["backup"] == []


class Objects:
    """A store that holds pieces of log."""

    def __init__(self, *numbers: int) -> None:
        self._names = [f"c/archive/c/17-1/x/{piece(1, n)}-{'a' * 40}.zst" for n in numbers]

    def keys(self, _: str, *, after: str) -> list[str]:
        assert after.endswith(f"/{piece(1, 5)[:16]}/{piece(1, 5)}")
        return self._names


@pytest.fixture
def watch(monkeypatch):
    """Run the look at the archive on a leader; return its exit status and its metrics."""
    told = {
        "name": "a",
        "cluster": "c",
        "repository": "c-1",
        "api": "",
        "authority": "",
        "store": {},
        "backup_hours": 9,
    }
    full = {"type": "full", "timestamp": {"stop": 1000}, "error": False,
            "archive": {"start": piece(1, 5)}}  # fmt: skip
    found = {"backup": [full], "archive": [{"id": "17-1"}]}
    metrics: dict[str, float] = {}
    monkeypatch.setattr(archive.settings, "read", lambda: told)
    monkeypatch.setattr(archive, "members", lambda *_: [LEADER])
    monkeypatch.setattr(archive, "repository", lambda _: found)
    monkeypatch.setattr(archive, "write_metrics", lambda _, values: metrics.update(values))
    monkeypatch.setattr(archive.time, "time", lambda: 1100.0)
    monkeypatch.setattr(archive.sys, "argv", ["archive"])

    def run(objects: Objects, waits: str = "") -> tuple[object, dict[str, float]]:
        monkeypatch.setattr(archive, "Store", lambda _: objects)
        monkeypatch.setattr(archive, "sql", lambda text: waits if text == archive.WAITING else "9")
        with pytest.raises(SystemExit) as ended:
            archive.main()
        return ended.value.code, metrics

    return run


def test_a_gap_has_an_exit_status_of_its_own_and_names_what_is_missing(watch, capsys):
    status, metrics = watch(Objects(5, 6, 8))

    assert status == archive.NEEDS_FULL
    assert metrics["database_archive_missing_pieces"] == 1
    assert piece(1, 7) in capsys.readouterr().out


def test_no_backup_yet_asks_for_the_first_full_one(watch, monkeypatch, capsys):
    nothing = {"backup": [], "archive": [{"id": "17-1"}]}
    monkeypatch.setattr(archive, "repository", lambda _: nothing)

    status, _ = watch(Objects())

    assert status == archive.NEEDS_FULL
    assert "no backup yet" in capsys.readouterr().out


def test_a_piece_that_is_on_its_way_is_no_gap(watch):
    status, metrics = watch(Objects(5, 6, 8), waits=f"{piece(1, 7)}|2")

    assert status == 0
    assert metrics["database_archive_missing_pieces"] == 0
    assert metrics["database_archive_faults"] == 0


def test_an_archive_that_can_not_be_looked_at_is_an_alarm_and_no_gap(watch, monkeypatch):
    def away(_: str) -> None:
        raise RuntimeError("pgbackrest info: exit 124")

    monkeypatch.setattr(archive, "repository", away)
    status, metrics = watch(Objects())

    assert status == 1
    assert metrics["database_archive_faults"] == 1
