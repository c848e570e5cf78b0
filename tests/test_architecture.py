"""Who may import whom, how long a file may be, and what must never be written down."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# The table of docs/decisions/0001: the program knows neither how its tools are obtained nor the
# lab it may run in; what runs inside hosts knows no Pulumi.
FORBIDDEN = {
    "__main__.py": {"lab", "ops", "pyinfra", "tests", "toolchain"},
    "components": {"lab", "ops", "pyinfra", "tests", "toolchain"},
    "hosts": {"components", "lab", "ops", "pulumi", "tests", "toolchain"},
    "pulumi_pyinfra": {"components", "hosts", "lab", "ops", "tests", "toolchain"},
    "ops": {"lab", "tests", "toolchain"},
    "toolchain": {"components", "hosts", "lab", "ops", "pulumi", "tests"},
    "lab": {"tests"},
}
LONGEST = 400


def tracked(*patterns: str) -> list[Path]:
    """Return the files that git knows or would add."""
    found = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=True,
    )
    return [path for line in found.stdout.splitlines() if (path := ROOT / line).is_file()]


def modules(part: str) -> list[Path]:
    """Return the Python files of one part of the project."""
    return [path for path in tracked("*.py") if path.relative_to(ROOT).parts[0] == part]


def imported(path: Path) -> Iterator[str]:
    """Yield the top-level package of each import, relative ones resolved."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize(
    ("part", "path"),
    [(part, path) for part in FORBIDDEN for path in modules(part)],
    ids=lambda value: str(value.relative_to(ROOT)) if isinstance(value, Path) else value,
)
def test_no_module_reaches_across_a_boundary(part, path):
    reached = {
        name
        for name in imported(path)
        if name in FORBIDDEN[part] or name.split("_")[0] in FORBIDDEN[part] - {"pyinfra"}
    }

    assert not reached, f"{path.relative_to(ROOT)} must not import {', '.join(sorted(reached))}"


def test_the_program_holds_no_word_about_how_its_tools_are_obtained():
    program = [ROOT / "__main__.py", *modules("components"), *tracked("Pulumi*.yaml")]
    words = re.compile(r"toolchain|stand-?in|XDG_CACHE|PULUMI_HOME|go build|plugin_download", re.I)

    found = [
        f"{p.relative_to(ROOT)}: {m[0]}" for p in program for m in words.finditer(p.read_text())
    ]

    assert not found


@pytest.mark.parametrize("path", tracked("*.py"), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_file_is_too_long_to_read(path):
    assert len(path.read_text().splitlines()) <= LONGEST


def test_the_table_of_contents_stays_short_and_decides_nothing():
    text = (ROOT / "__main__.py").read_text()
    decisions = [
        n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.If | ast.For | ast.BinOp)
    ]

    assert len(text.splitlines()) <= 100
    assert not decisions


def test_no_registry_or_machine_path_is_written_down():
    registry = re.compile(
        r"(proxy|registry|deb|files)\.(golang|npmjs|debian|pythonhosted)\.|pypi\.[a-z]+/simple"
        r"|index-url|/root/|/work/"
    )
    texts = [p for p in tracked() if p != Path(__file__) and p.suffix not in (".png", ".gz")]

    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in texts
        for match in registry.finditer(path.read_text(errors="replace"))
    ]

    assert not [f for f in found if not f.startswith("Makefile: index-url")]


def test_every_locked_package_is_pinned_and_hashed():
    for name in ("requirements.txt", "requirements-dev.txt"):
        entries = re.split(r"\n(?=\S)", (ROOT / name).read_text().strip())

        unpinned = [e.split()[0] for e in entries if "==" not in e or "--hash=sha256:" not in e]

        assert len(entries) > 20, f"{name} was not read"
        assert not unpinned


def test_the_development_lock_holds_the_program_lock():
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^([\w.-]+==\S+)", (ROOT / name).read_text(), re.M))

    assert pins("requirements.txt") <= pins("requirements-dev.txt")
