"""What a killed run left in a lab's stack is put right, as on-call does it: see ``ops.repair``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from .checkout import ROOT
from .project import Project


def repaired(project: Project, *, failed: bool = False) -> str:
    """Put right what is wrong, if anything is, and return what that was.

    A run that ``failed`` may have been refused an answer to what was done nevertheless.
    """
    locks = list((project.folder / "state/.pulumi/locks").rglob("*.json"))
    found = half_written(project) + _under_way(project)
    found += ["a killed run's lock"] if locks else []
    found += ["a failed run"] if failed else []
    if found:
        _repair(project, *(["--unlock"] if locks else []))
    return ", ".join(found) or "nothing"


def half_written(project: Project) -> list[str]:
    """Make whole what an engine that keeps its state in files was killed in the middle of.

    The state itself appears by a rename; the attributes beside it, which it can do without, don't.
    """
    checkpoint = project.checkpoint
    found = []
    attributes = checkpoint.with_suffix(".json.attrs")
    if attributes.exists() and not _is_json(attributes):
        attributes.unlink()
        found.append("half-written attributes of the state")
    before = checkpoint.with_suffix(".json.bak")
    if before.exists() and not _is_json(checkpoint):
        shutil.copyfile(before, checkpoint)
        found.append("half-written state")
    return found


def _is_json(file: Path) -> bool:
    try:
        json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return False
    return True


def _under_way(project: Project) -> list[str]:
    if not project.checkpoint.exists():
        return []
    latest = json.loads(project.checkpoint.read_text())["checkpoint"].get("latest") or {}
    under_way = latest.get("pending_operations") or []
    return [f"{len(under_way)} operations under way"] if under_way else []


def _repair(project: Project, *options: str) -> None:
    done = subprocess.run(
        project.ops("repair", *options, "--yes"),
        cwd=ROOT,
        env={**os.environ, **project.variables},
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"python -m ops.repair {project.stack}:\n{done.stdout}{done.stderr}")
