"""What all tests share: a piece of program, or the whole one, on the recording engine."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.runtime import set_all_config

from components.settings import PROJECT as ROOT
from ops.stack_files import SECRETS
from tests.components.test_load_balancer import METALLB
from tests.recording import Deployment, run


@pytest.fixture
def deploy() -> Callable[..., Deployment]:
    """Run a piece of program on the recording engine."""
    return run


@pytest.fixture
def up(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Deployment]:
    """Run the whole program for a stack; its result holds what the stack exports."""
    # The guard asks the real APIs before anything else.
    monkeypatch.setattr("components.guard.check", lambda *_: None)
    # What MetalLB's makers publish is fetched.
    monkeypatch.setattr("components.application_of_stack.manifests", lambda _: METALLB)

    def whole(stack: str) -> Deployment:
        def program() -> dict[str, Any]:
            config = config_of(stack)
            set_all_config(config, [key for key in config if key.split(":")[-1] in SECRETS])
            runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")
            return dict(pulumi.runtime.get_root_resource().outputs)

        return run(program, stack=stack)

    return whole


def config_of(stack: str) -> dict[str, str]:
    """Return the stack file as the engine hands it over, its secrets replaced by words."""
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    written = yaml.safe_load(text)["config"]
    config = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in written.items()
        if not (isinstance(value, dict) and "secure" in value)
    }
    return config | {f"coldstorage:{name}": word for name, word in SECRETS.items()}
