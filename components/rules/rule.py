"""How a rule is written and run.

A rule is a generator function that names what it needs as parameters: sections of the stack file
by their key, and the few facts that :mod:`components.settings` adds. It runs when all of them are
known, so that a fault in one section hides no fault in another. A parameter with a default may be
missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from inspect import signature

from ..faults import Fault

Rule = Callable[..., Iterator[Fault]]


def broken(rules: Iterable[Rule], known: Mapping[str, object]) -> Iterator[Fault]:
    """Yield what the rules find; a rule whose needs are not known is passed over."""
    for rule in rules:
        wanted = signature(rule).parameters
        needed = {name for name, wish in wanted.items() if wish.default is wish.empty}
        if needed <= known.keys():
            yield from rule(**{name: known[name] for name in wanted if name in known})
