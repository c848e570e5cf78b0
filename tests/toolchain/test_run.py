"""What a whole run prints and returns, and the environment that it leaves."""

import subprocess
import sys
import urllib.error

import pytest

from tests.toolchain.conftest import FakeSource, a_tool
from toolchain import run as run_module
from toolchain.environment import exports, note_network
from toolchain.network import Network
from toolchain.run import run
from toolchain.tool import ROOT


@pytest.fixture
def run_with(cache, monkeypatch):
    def go(sources, *tools, **options):
        monkeypatch.setattr(run_module, "sources", lambda *_: sources)
        return run(cache, tools=tools, **options)

    return go


def test_everything_missing_is_reported_at_once_with_what_to_do_by_hand(run_with, capsys):
    sources = [FakeSource("official", fails="shut"), FakeSource("Go module", fails="no go command")]

    assert run_with(sources, a_tool(), a_tool("saw")) == 1

    errors = capsys.readouterr().err
    for name in ("hammer", "saw"):
        assert f"{name} 1.2.3 could not be obtained:" in errors
    assert errors.count("  official: shut") == 2
    assert errors.count("  Go module: no go command") == 2
    assert errors.count("  by hand: https://tools.example/1.2.3") == 2
    assert "Traceback" not in errors


def test_an_optional_tool_that_is_not_here_is_no_failure(run_with, capsys):
    sources = [FakeSource("official", fails="shut")]

    assert run_with(sources, a_tool(only_for="nails")) == 0

    assert "not here (only for nails)" in capsys.readouterr().out


def test_a_stand_in_is_loud_in_one_line_each_time(run_with, capsys):
    for _ in range(2):
        assert run_with([FakeSource("stand-in")], a_tool()) == 0
        output = capsys.readouterr().out
        assert "STAND-IN: hammer is the project's own, not the official one\n" in output


def test_the_table_names_tool_version_source_and_time(run_with, capsys):
    run_with([FakeSource("official")], a_tool())

    *_, header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["tool", "version", "source", "time"]
    assert row.split()[:3] == ["hammer", "1.2.3", "official"]


def test_two_runs_at_once_take_turns(run_with, cache, capsys):
    waiting = []
    with cache.locked(lambda: waiting.append("first")):
        second = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import sys; from pathlib import Path; from toolchain.cache import Cache\n"
                "with Cache(Path(sys.argv[1])).locked(lambda: print('waits', flush=True)):\n"
                "    print('has it', flush=True)",
                cache.root,
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert second.stdout.readline() == "waits\n"
        assert second.poll() is None
    assert second.communicate()[0] == "has it\n"
    assert waiting == []
    assert run_with([FakeSource("official")], a_tool()) == 0
    assert "another run" not in capsys.readouterr().out


def test_the_exports_are_shell_and_only_a_closed_machine_stops_downloads(cache):
    note_network(cache, None)
    open_lines = exports(cache).splitlines()
    note_network(cache, "no name server")
    closed_lines = exports(cache).splitlines()

    assert open_lines == [
        f'export PATH={cache.bin}:"$PATH"',
        f"export PULUMI_HOME={cache.root}/pulumi",
        "export PULUMI_SKIP_UPDATE_CHECK=true",
    ]
    assert set(closed_lines) - set(open_lines) == {
        "export PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true"
    }


def test_a_run_that_touched_no_network_keeps_what_is_known_of_it(run_with, cache):
    def unreachable(url, _timeout):
        raise urllib.error.URLError(url)

    network = Network(open=unreachable, closed="no name server")
    run_with([FakeSource("official")], a_tool(), network=network)
    run_with([FakeSource("official")], a_tool())

    assert "DISABLE_AUTOMATIC" in exports(cache)
