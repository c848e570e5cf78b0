"""A deploy as a resource on the real engine; its hosts are folders of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pulumi_pyinfra.engine.project import Project

pytestmark = pytest.mark.engine
CANARY = "canary-9f1c55e0"


class Hosts:
    """Folders that play hosts, and what stands in them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, *names: str, **own) -> dict[str, dict]:
        return {
            name: {"arguments": {"folder": str(self._folder / name)} | own.get(name, {})}
            for name in names
        }

    def read(self, name: str, file: str = "page.txt") -> str | None:
        path = self._folder / name / file
        return path.read_text() if path.exists() else None

    def written(self, name: str) -> int:
        """Return how often the page was written on a host."""
        return len((self.read(name, "count") or "").split())


@pytest.fixture
def hosts(tmp_path) -> Hosts:
    return Hosts(tmp_path / "hosts")


@pytest.fixture
def project(tmp_path) -> Project:
    (tmp_path / "project").mkdir()
    return Project(tmp_path / "project")


def test_a_preview_tells_what_would_change_inside_a_host_and_changes_nothing(project, hosts):
    project.want(hosts("a"))

    told = project.pulumi("preview").stdout

    assert "a: at least 2 of 2 operations would change" in told
    assert "Write the page" in told
    assert "+hello" in told
    assert hosts.read("a") is None


def test_an_update_does_it_once(project, hosts):
    project.want(hosts("a", "b"))

    told = project.up()
    project.up("--expect-no-changes")

    assert hosts.read("a") == hosts.read("b") == "hello\nnone"
    assert "b: Write the page: changed" in told
    assert hosts.written("a") == hosts.written("b") == 1


def test_every_fault_is_told_by_host_and_key_before_anything_runs(project, hosts):
    project.want(hosts("a", "b", a={"txet": "x"}, b={"text": "x" * 50}))

    told = project.up(check=False)

    assert "host a: txet" in told
    assert "host b: text: must have 40 characters at most, got 50" in told
    assert hosts.read("a") is None


def test_an_edited_template_is_a_change_and_shows_its_diff(project, hosts):
    project.want(hosts("a"))
    project.up()
    (project.folder / "deploys" / "templates" / "page.txt").write_text("TEXT!\n")

    told = project.pulumi("preview").stdout
    project.up()

    assert "-hello" in told
    assert "+hello!" in told
    assert hosts.read("a") == "hello!\nnone"


def test_an_edit_elsewhere_is_no_change(project, hosts):
    project.want(hosts("a"))
    project.up()
    (project.folder / "deploys" / "unrelated.py").write_text("# a comment\n")

    project.up("--expect-no-changes")


def test_one_change_touches_one_host(project, hosts):
    project.want(hosts("a", "b"))
    project.up()
    project.want(hosts("a", "b", b={"text": "other"}))

    told = project.up()

    assert hosts.read("b") == "other\nnone"
    assert "a: Page" not in told
    assert hosts.written("a") == 1


def test_drift_is_found_by_a_refresh_and_repaired_by_the_next_update(project, hosts, tmp_path):
    project.want(hosts("a", "b"))
    project.up()
    (tmp_path / "hosts" / "a" / "page.txt").write_text("by hand\n")

    found = project.pulumi("refresh", "--yes", "--expect-no-changes", check=False)
    drift = project.outputs()["drift"]
    project.up()

    assert found.returncode != 0
    assert drift == {"a": ["Write the page", "Count"]}
    assert project.outputs()["drift"] == {}
    assert hosts.read("a") == "hello\nnone"
    project.pulumi("refresh", "--yes", "--expect-no-changes")
    assert hosts.written("b") == 1


def test_a_failure_stops_the_rollout_and_the_next_update_goes_on_there(project, hosts):
    names = ("a", "b", "c")
    project.want(hosts(*names, b={"broken": True}))

    told = project.up(check=False)
    assert "b: Fail: failed" in told
    assert "exit code 7" in told
    assert "why it failed" in told
    assert "untouched: c" in told
    assert hosts.read("c") is None

    project.want(hosts(*names))
    project.up()

    assert [hosts.read(name) for name in names] == ["hello\nnone"] * 3
    assert [hosts.written(name) for name in names] == [1, 1, 1]
    project.up("--expect-no-changes")


def test_a_host_that_leaves_runs_its_leave_deploy_with_those_who_stay(project, hosts):
    project.want(hosts("a", "b"), leave="deploys.page:gone")
    project.up()
    project.want(hosts("a"), leave="deploys.page:gone")

    planned = project.pulumi("preview").stdout
    project.up()

    assert "b: leaves the group and runs deploys.page:gone first" in planned
    assert hosts.read("b", "left") == "a\n"
    assert hosts.read("a", "left") is None
    project.up("--expect-no-changes")


def test_deleting_leaves_the_host_as_it_is_and_says_so(project, hosts):
    project.want(hosts("a"))
    project.up()

    told = project.pulumi("destroy", "--yes", "--skip-preview").stdout

    assert "the hosts are left as they are" in told
    assert hosts.read("a") == "hello\nnone"


def test_a_secret_is_on_the_host_and_nowhere_else(project, hosts):
    project.want(hosts("a"))
    project.pulumi("config", "set", "--secret", "canary", CANARY)

    told = [project.pulumi("preview", "--diff").stdout, project.up()]
    state = project.pulumi("stack", "export").stdout

    assert CANARY in hosts.read("a")
    assert not [text for text in (*told, state) if CANARY in text]
    assert "[secret]" in told[0]
