"""A deploy is found by its import path, and given its contract."""

from __future__ import annotations

import inspect
import os
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from ..protocol import Request


class DeployError(Exception):
    """The deploy itself is wrong; the message says where."""


def load(request: Request) -> Callable[[object], object]:
    """Import the deploy of a request."""
    module_name, separator, name = request.deploy.partition(":")
    if not separator or not name:
        raise DeployError(f"{request.deploy}: expected package.module:function")
    if request.path not in sys.path:
        sys.path.insert(0, request.path)
    # File names in a deploy are relative to the program, as they are with the command line.
    os.chdir(request.path)
    try:
        module = import_module(module_name)
    except Exception as error:
        raise DeployError(raised(error, request.path)) from error
    deploy = getattr(module, name, None)
    if not callable(deploy):
        raise DeployError(f"{request.deploy}: {module_name} has no function {name}")
    return deploy  # type: ignore[no-any-return]  # its one parameter is checked by its contract


def deploy_name(deploy: Callable[..., object]) -> str:
    """Return the name that pyinfra puts before those of the deploy's operations."""
    return str(getattr(inspect.unwrap(deploy), "deploy_name", ""))


def raised(error: BaseException, path: str) -> str:
    """Return what was raised, and where in the program."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [
        frame
        for frame in frames
        if Path(frame.filename).is_relative_to(path) and "site-packages" not in frame.filename
    ]
    kind = type(error).__name__
    where = ""
    if isinstance(error, SyntaxError) and error.filename:
        where = f"{error.filename}:{error.lineno}: "
    elif inside:
        where = f"{Path(inside[-1].filename).relative_to(path)}:{inside[-1].lineno}: "
    return f"{where}{kind}: {error}"
