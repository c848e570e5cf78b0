"""What a control is, and the ways in which one is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .seen import Seen

Check = Callable[[Seen], str]
"""Says what is wrong; nothing if all is right."""
Holds = Callable[[str | None], bool]
"""Whether a setting's value is right; None is one that is not set."""
PASS, FAIL, EXCEPTION = "pass", "FAIL", "exception"


@dataclass(frozen=True, kw_only=True)
class Control:
    """One thing that must be so; numbers are those of CIS' benchmark as K3s' guide has them."""

    number: str
    title: str
    check: Check | None
    on_agents: bool = False
    exception: str = ""
    """Why it is not as the benchmark wants it; what holds instead is what is checked."""
    let_be: Check = lambda _: ""
    """Says why something is let be that is there now."""

    def judge(self, seen: Seen) -> Result:
        """Return what came of it on a node."""
        wrong = self.check(seen) if self.check else ""
        exception = self.exception or self.let_be(seen)
        outcome = FAIL if wrong else EXCEPTION if exception else PASS
        return Result(self.number, self.title, outcome, wrong or exception)


@dataclass(frozen=True)
class Result:
    """What came of a control, and why."""

    number: str
    title: str
    outcome: str
    why: str


@dataclass(frozen=True)
class Files:
    """Files that must be root's, with no more rights than these."""

    pattern: str
    most: int
    there: bool = True
    """Whether one must be there at all."""

    def __call__(self, seen: Seen) -> str:
        """Return what is wrong."""
        found = seen.files.get(self.pattern, {})
        if self.there and not found:
            return f"{self.pattern}: not there"
        wrong = [f"{place} is {told}" for place, told in found.items() if not self._fits(told)]
        return f"{', '.join(wrong)}; expected {self.most:o} 0:0 or less" if wrong else ""

    def _fits(self, told: str) -> bool:
        mode, _, owner = told.partition(" ")
        return not int(mode, 8) & ~self.most and owner == "0:0"


@dataclass(frozen=True)
class Kernel:
    """A setting of the kernel."""

    name: str
    value: str

    def __call__(self, seen: Seen) -> str:
        """Return what is wrong."""
        found = seen.kernel.get(self.name)
        return "" if found == self.value else f"{self.name} is {found}, expected {self.value}"


def flag(component: str, name: str, holds: Holds) -> Check:
    """Look at what a component was started with."""

    def check(seen: Seen) -> str:
        if component not in seen.flags:
            return f"the start of {component} is not in the journal"
        return _judged(f"{component} --{name}", seen.flags[component].get(name), holds)

    return check


def kubelet(name: str, path: str, holds: Holds) -> Check:
    """Look at a flag of kubelet, or where there is none, at the setting of its file."""

    def check(seen: Seen) -> str:
        if "kubelet" not in seen.flags:
            return "the start of kubelet is not in the journal"
        found = seen.flags["kubelet"].get(name, seen.kubelet.get(path))
        return _judged(f"kubelet's {name}", found, holds)

    return check


def etcd(path: str, holds: Holds) -> Check:
    """Look at a setting of etcd."""

    def check(seen: Seen) -> str:
        if not seen.etcd:
            return "etcd's settings can't be read"
        return _judged(f"etcd's {path}", seen.etcd.get(path), holds)

    return check


def both(*checks: Check) -> Check:
    """Look at several things."""
    return lambda seen: "; ".join(filter(None, (check(seen) for check in checks)))


def _judged(what: str, found: str | None, holds: Holds) -> str:
    if holds(found):
        return ""
    return f"{what} is {'not set' if found is None else found}"


def equals(value: str) -> Holds:
    """Return whether it is this and nothing else."""
    return lambda found: found == value


def unless(value: str) -> Holds:
    """Return whether it is anything else, or nothing at all."""
    return lambda found: found != value


def has(*words: str) -> Holds:
    """Return whether these are among its words."""
    return lambda found: {*words} <= {*(found or "").split(",")}


def lacks(*words: str) -> Holds:
    """Return whether none of these is among its words."""
    return lambda found: not {*words} & {*(found or "").split(",")}


def at_least(least: int) -> Holds:
    """Return whether it is a number that is not less."""
    return lambda found: found is not None and found.isdigit() and int(found) >= least


def is_set(found: str | None) -> bool:
    """Return whether it is anything."""
    return bool(found)


def is_unset(found: str | None) -> bool:
    """Return whether it is nothing."""
    return found is None


def strong(found: str | None) -> bool:
    """Return whether its ciphers are all of today's."""
    return bool(found) and all("_GCM_" in c or "CHACHA20" in c for c in str(found).split(","))
