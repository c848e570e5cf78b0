"""A secret is on the host and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pulumi_pyinfra.sshd import running

from .hosts import over_ssh

pytestmark = pytest.mark.engine
CANARY = "canary-9f1c55e0"
# From -v=7 on the engine's own log shows what it sends and receives, secrets as well.
PULUMIS_OWN = (
    '"msg":"Marshaling property for RPC',
    '"msg":"Unmarshaling property for RPC',
    '"msg":"Planner decided to ',
)
EVERYTHING = ("-v=9", "--logtostderr", "--diff", "--debug")


@pytest.fixture
def leaks(project, hosts, tmp_path):
    """What is said and kept by each run of a group that uses a secret, searched for it."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    project.variables["TMPDIR"] = str(temporary)
    project.pulumi("config", "set", "--secret", "canary", CANARY)
    with running(tmp_path / "server") as server:
        key = server.private_key
        project.pulumi("config", "set", "--secret", "key", "--", key)
        # From the middle of the key: its first and last lines are those of every key.
        canaries = (CANARY, key.splitlines()[2])

        def run(ending: str, *command: str) -> list[str]:
            wanted = hosts("a", a={"temporary": str(temporary), "ending": ending})
            wanted["a"]["ssh"] = over_ssh(server, private_key=None)
            project.want(wanted, deploy="deploys.telltale:telltale")
            done = project.pulumi(*command, *EVERYTHING, check=False)
            said = {"said": done.stdout, "logged": done.stderr}
            kept = [project.folder, temporary, hosts.folder]
            files = {
                str(path): path.read_text(errors="replace")
                for folder in kept
                for path in folder.rglob("*")
                if path.is_file() and path != hosts.folder / "a" / "page.txt"
            }
            texts = {**said, **files, "server": server.log}
            return [
                f"{name}: {line[:200]}"
                for name, text in texts.items()
                for line in text.splitlines()
                if any(c in line for c in canaries) and not any(own in line for own in PULUMIS_OWN)
            ]

        yield run


def test_a_secret_is_on_the_host_and_nowhere_else(leaks, hosts, project):
    plan = str(project.folder / "plan.json")

    assert leaks("well", "preview", "--save-plan", plan) == []
    assert leaks("well", "up", "--yes") == []
    assert hosts.read("a") == f"password = {CANARY}\n"
    for seen in ("argv", "environ"):
        assert "pulumi_pyinfra" in (hosts.read("a", seen) or "").replace("\0", " "), seen
    Path(hosts.folder / "a" / "page.txt").write_text("by hand\n")
    assert leaks("well", "refresh", "--yes") == []
    assert leaks("well", "destroy", "--yes") == []


@pytest.mark.parametrize("ending", ["fails", "raises"])
def test_an_error_shows_no_secret(leaks, ending, project):
    assert leaks(ending, "up", "--yes", "--skip-preview") == []

    told = project.up(check=False)
    assert ("exit code 3" if ending == "fails" else "[secret] is not right") in told


def test_an_argument_that_is_refused_shows_no_secret(leaks, project):
    contract = project.folder / "deploys" / "telltale.py"
    contract.write_text(contract.read_text().replace("secret: str", "secret: int"))

    assert leaks("well", "up", "--yes") == []
    assert "secret: expected a whole number, got text" in project.up(check=False)
