"""Go is called with our settings, and its failures keep their reason. The go here is a script."""

import pytest

from toolchain import gobuild
from toolchain.gobuild import FromGo
from toolchain.tool import GoBuild, SourceError, Tool

SCRIPT = """#!/bin/sh
echo "$GOFLAGS|$GOCACHE|$CGO_ENABLED|$*" >> "$GO_LOG"
[ -n "$GO_FAILS" ] && { echo "go: downloading x" >&2; echo "$GO_FAILS" >&2; exit 1; }
[ "$1" = list ] && { echo "$GO_MODULE"; exit 0; }
while [ "$1" != -o ]; do shift; done
echo binary > "$2"
"""

TOOL = Tool(
    name="hammer",
    version="1.2.3",
    by_hand="",
    module=GoBuild(
        directory="hammers",
        package="./cmd/hammer",
        output="bin/hammer",
        version_variable="main.version",
        version_prefix="v",
        made_of=("cmd",),
        copies={"bin/nail": ("example.org/nails", "iron/nail")},
    ),
)


@pytest.fixture
def builder(cache, tmp_path, monkeypatch):
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "go").write_text(SCRIPT)
    (tmp_path / "path" / "go").chmod(0o755)
    (tmp_path / "module" / "iron").mkdir(parents=True)
    (tmp_path / "module" / "iron" / "nail").write_text("nail")
    (tmp_path / "hammers" / "cmd").mkdir(parents=True)
    (tmp_path / "hammers" / "cmd" / "main.go").write_text("package main")
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    monkeypatch.setenv("GO_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("GO_MODULE", str(tmp_path / "module"))
    monkeypatch.setattr(gobuild, "NEEDED_BYTES", 1)
    return FromGo(name="Go module", field="module", cache=cache, root=tmp_path)


@pytest.fixture
def staging(tmp_path):
    (tmp_path / "staging").mkdir()
    return tmp_path / "staging"


def test_it_builds_from_locked_modules_with_a_build_cache_of_its_own(
    builder, cache, staging, tmp_path
):
    files = builder.obtain(TOOL, staging, print)

    assert {place: path.read_text().strip() for place, path in files.items()} == {
        "bin/hammer": "binary",
        "bin/nail": "nail",
    }
    flags, build_cache, cgo, command = (tmp_path / "log").read_text().splitlines()[0].split("|")
    assert (flags, build_cache, cgo) == ("-mod=readonly", str(cache.root / "go-build"), "0")
    assert command.startswith("build -trimpath")
    assert "-s -w -X main.version=v1.2.3" in command


def test_gos_own_words_are_the_reason(builder, staging, monkeypatch):
    monkeypatch.setenv("GO_FAILS", "403 Forbidden")

    with pytest.raises(SourceError, match=r"^403 Forbidden$"):
        builder.obtain(TOOL, staging, print)


def test_without_go_it_says_where_go_comes_from(builder, staging, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SourceError, match=r"https://go\.dev/dl/"):
        builder.obtain(TOOL, staging, print)


def test_a_full_disk_is_found_before_the_build(builder, staging, monkeypatch, tmp_path):
    monkeypatch.setattr(gobuild, "NEEDED_BYTES", 1 << 60)

    with pytest.raises(SourceError, match="GB free, a build needs"):
        builder.obtain(TOOL, staging, print)
    assert not (tmp_path / "log").exists()


def test_an_edit_of_the_sources_asks_for_another_build(builder, tmp_path):
    before = builder.recipe(TOOL)
    (tmp_path / "hammers" / "cmd" / "main.go").write_text("package main // edited")

    assert builder.recipe(TOOL) != before
