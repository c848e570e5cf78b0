"""The contract of a deploy: the dataclass that its one parameter is annotated with.

Everything here works on a function that is imported already. Importing a deploy imports pyinfra,
and with it gevent; therefore the provider never does it, it asks a worker (action ``check``).
"""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import protocol, typed

SETTLED = "settled"
"""The field of a contract that the state answers, not the program."""


class ContractError(Exception):
    """A deploy has no contract that its arguments could be checked against."""


def contract_of(deploy: Callable[..., object]) -> type:
    """Return the dataclass that a deploy takes."""
    function = inspect.unwrap(deploy)
    parameters = list(inspect.signature(function).parameters)
    name = f"{function.__module__}:{function.__qualname__}"
    if len(parameters) != 1:
        raise ContractError(
            f"{name}: must take one parameter, its contract; takes {len(parameters)}"
        )
    contract = typing.get_type_hints(function).get(parameters[0])
    if not (isinstance(contract, type) and dataclasses.is_dataclass(contract)):
        raise ContractError(f"{name}: {parameters[0]} must be annotated with a dataclass")
    return contract


def read(
    contract: type, common: Mapping[str, Any], own: Mapping[str, Any], *, settled: bool = False
) -> typed.Reading:
    """Read the arguments of one host; its own ones win.

    A contract with a field ``settled`` is told whether any host of the group ever was what was
    wanted: a deploy that founds something must not do it twice, whoever lost their data.
    """
    asks = any(field.name == SETTLED for field in dataclasses.fields(contract))
    return typed.read(contract, {**common, **own, **({SETTLED: settled} if asks else {})})


def check(
    contract: type, common: Mapping[str, object], hosts: Iterable[protocol.Host]
) -> list[protocol.Fault | protocol.Unknown]:
    """Name every fault of every host, once where it is that of all, and what is not known yet."""
    readings = {host.name: read(contract, common, host.arguments) for host in hosts}
    unknown = [
        protocol.Unknown(host=name, paths=tuple(reading.unknown))
        for name, reading in readings.items()
        if reading.unknown
    ]
    faults = {name: dict.fromkeys(reading.faults) for name, reading in readings.items()}
    shared = set.intersection(*map(set, faults.values())) if len(faults) > 1 else set()
    told = [
        protocol.Fault(path=fault.path, reason=fault.reason)
        for fault in next(iter(faults.values()), ())
        if fault in shared
    ]
    told += [
        protocol.Fault(host=name, path=fault.path, reason=fault.reason)
        for name, of_host in faults.items()
        for fault in of_host
        if fault not in shared
    ]
    return [*told, *unknown]
