"""A command that the machine has is used only at an acceptable version, with its companions."""

import pytest

from toolchain.sources import FromPath
from toolchain.tool import OnPath, SourceError, Tool

TOOL = Tool(
    name="hammer",
    version="1.2.3",
    by_hand="",
    on_path=OnPath(
        command="hammer",
        version_arguments=("version",),
        at_least=(1, 2),
        below=(2,),
        beside=("nail",),
    ),
)


@pytest.fixture
def install(monkeypatch):
    def write(folder, version, companions=("nail",)):
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("hammer", *companions):
            (folder / name).write_text(f"#!/bin/sh\necho {version}\n")
            (folder / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))
        return folder

    return write


def test_an_acceptable_command_is_used_where_it_is(cache, tmp_path, install):
    folder = install(tmp_path / "bin", "v1.9.0")

    found = FromPath(cache).obtain(TOOL, tmp_path, print)

    assert found == {str(folder / name): folder / name for name in ("hammer", "nail")}


@pytest.mark.parametrize(
    ("version", "companions", "reason"),
    [
        ("v1.1.9", ("nail",), "is 1.1.9; wanted: 1.2 or later, below 2"),
        ("v2.0.0", ("nail",), "is 2.0.0; wanted"),
        ("hello", ("nail",), "does not say its version"),
        ("v1.2.0", (), "lacks"),
    ],
)
def test_any_other_is_refused_with_the_reason(  # noqa: PLR0917
    cache, tmp_path, install, version, companions, reason
):
    install(tmp_path / "bin", version, companions)

    with pytest.raises(SourceError, match=reason):
        FromPath(cache).obtain(TOOL, tmp_path, print)


def test_what_we_put_in_place_ourselves_does_not_count(cache, tmp_path, install):
    install(cache.bin, "v1.9.0")

    with pytest.raises(SourceError, match="no hammer"):
        FromPath(cache).obtain(TOOL, tmp_path, print)
