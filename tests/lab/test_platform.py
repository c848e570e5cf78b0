"""The whole path: one `up` makes machines and the database in them, and keeps them so."""

from __future__ import annotations

import json

import pytest

from lab.checkout import place_of
from lab.machines import Machine
from lab.status import machines_of
from lab.up import project_of

from .people import People, a_person

pytestmark = [pytest.mark.engine, pytest.mark.machines, pytest.mark.database]
CONNECTION = (
    "host={} port={} dbname={} user={} sslmode=verify-ca sslrootcert=ca.pem connect_timeout=3"
)


class Platform:
    """The platform on this computer as somebody sees it, and what it exports."""

    def __init__(self, person: People) -> None:
        self.run = person.run
        self.run("up")
        self.place = place_of("testing")
        shown = self.run("pulumi", "stack", "output", "--json", "--show-secrets")
        self.database = json.loads(shown)["database"]

    def machine(self, name: str) -> Machine:
        return next(m for m in machines_of(self.place) if m.name == name)

    def up(self, *options: str) -> str:
        return self.run("pulumi", "up", "--yes", "--skip-preview", *options)

    def sql(self, statement: str) -> str:
        """Run a statement through the address, as an application on a K3s machine would."""
        wanted = self.database
        connection = CONNECTION.format(
            wanted["hosts"][0], wanted["pooler_port"], wanted["name"], wanted["user"]
        )
        client = self.machine("k3s-node1")
        client.ssh(f"cat > ca.pem <<'EOF'\n{wanted['authority']}EOF")
        return client.ssh(
            "command -v psql >/dev/null ||"
            " { apt-get update && apt-get install --yes postgresql-client-17; } >/dev/null 2>&1;"
            f" PGPASSWORD={wanted['password']} psql -XAtc \"{statement}\" '{connection}'"
        ).strip()


@pytest.fixture(scope="module")
def platform():
    with a_person() as person:
        yield Platform(person)


def test_up_ends_with_a_database_that_takes_writes_at_its_address(platform):
    platform.sql("CREATE TABLE rooms (name text); INSERT INTO rooms VALUES ('A1')")

    assert platform.sql("SELECT name, pg_is_in_recovery() FROM rooms") == "A1|f"


def test_every_machine_is_a_member_and_a_commit_is_on_two(platform):
    said = platform.machine("db-node1").ssh("patronictl -c /etc/patroni/config.yml list -f json")
    members = {member["Member"]: member["Role"] for member in json.loads(said)}

    assert members.keys() == {"db-node1", "db-node2", "db-node3"}
    assert members["db-node1"] == "Leader"
    assert set(members.values()) <= {"Leader", "Quorum Standby", "Sync Standby"}


def test_a_backup_goes_to_the_bucket_that_the_same_up_made(platform):
    machine = platform.machine("db-node1")

    machine.ssh("systemctl start database-backup@full.service")

    (cluster,) = json.loads(machine.ssh("runuser -u postgres -- pgbackrest info --output=json"))
    assert cluster["name"] == "coldstorage-testing"
    assert cluster["status"]["message"] == "ok"
    assert cluster["cipher"] == "aes-256-cbc"
    assert {backup["type"] for backup in cluster["backup"]} == {"full"}


def test_what_the_clock_starts_in_a_machine_works(platform):
    machine = platform.machine("db-node2")

    machine.ssh("systemctl start etcd-snapshot.service etcd-defragment.service")

    assert machine.ssh("systemctl --failed --plain --no-legend") == ""


def test_a_second_up_and_a_refresh_change_nothing(platform):
    platform.up("--expect-no-changes")
    platform.run("pulumi", "refresh", "--yes", "--expect-no-changes")


def test_a_preview_shows_what_an_edit_would_change_inside_the_machines(platform):
    project = project_of("testing")
    project.configure({"redis": {"memory_mib": 192}})

    said = platform.run("pulumi", "preview", "--diff")
    project.configure({"redis": {"memory_mib": 128}})

    assert "Write Redis's redis.conf" in said
    assert "-maxmemory 128mb" in said
    assert "+maxmemory 192mb" in said
    assert platform.database["password"] not in said


def test_what_somebody_changed_by_hand_is_found_and_repaired(platform):
    machine = platform.machine("db-node2")
    machine.ssh("echo 'maxmemory 1mb' >> /etc/redis/redis.conf")

    found = platform.run("pulumi", "refresh", "--yes", "--expect-no-changes", code=7)
    platform.up()

    assert "redis.conf" in found
    assert "maxmemory 1mb" not in machine.ssh("cat /etc/redis/redis.conf")
    platform.run("pulumi", "refresh", "--yes", "--expect-no-changes")
    assert platform.sql("SELECT count(*) FROM rooms") == "1"


def test_no_secret_is_in_the_clear_in_the_state_or_among_arguments(platform):
    folder = platform.place.folder / "project" / "state"
    stored = "".join(file.read_text() for file in folder.rglob("*.json"))
    secrets = [platform.database["password"], platform.database["cache_password"]]

    assert "database-deploy" in stored
    assert not [word for word in [*secrets, "PRIVATE KEY"] if word in stored]
    running = platform.machine("db-node1").ssh("cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ")
    assert not [word for word in secrets if word in running]


def test_destroy_leaves_no_machine(platform):
    platform.run("pulumi", "destroy", "--yes", "--skip-preview")

    assert not machines_of(platform.place)
