"""Labs for tests on the real engine: the real provider on an emulated Proxmox."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lab.on_records import Lab, running


@pytest.fixture(scope="module")
def testing(tmp_path_factory) -> Iterator[Lab]:
    """A lab of testing with nothing made yet, shared by the tests of one file in their order."""
    with running("testing", tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def fresh(tmp_path) -> Iterator[Lab]:
    """A lab of testing of one test's own."""
    with running("testing", tmp_path) as lab:
        yield lab


def planned(lab: Lab) -> dict[str, str]:
    """Return what a preview would do, by resource name; what stays the same is left out."""
    preview = json.loads(lab.pulumi("preview", "--json").stdout)
    return {
        step["urn"].rsplit("::", 1)[1]: step["op"]
        for step in preview["steps"]
        if step["op"] not in ("same", "read", "refresh")
    }


def state(lab: Lab) -> dict[str, Any]:
    """Return the stack's state as it is stored, secrets encrypted."""
    exported: dict[str, Any] = json.loads(lab.pulumi("stack", "export").stdout)
    return exported["deployment"]


def by_type(lab: Lab) -> Counter[str]:
    """Count the resources in the state by type."""
    return Counter(resource["type"] for resource in state(lab)["resources"])


def wait_until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait for something that another thread brings about."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)
