"""What a witness concludes from what it saw: pure, and the only place where it is decided.

A leader is silent to a witness when it has left every question unanswered for so long. It is fenced
when a majority of all machines says so at the same time, of the same leadership, and nobody has
fenced anybody a while ago.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

ASLEEP_SECONDS = 1.0
"""Who asks less often than this was asleep, and what it did not hear nobody has to answer for."""
FRESH_SECONDS = 1.0
"""A vote counts as long as it is renewed."""


@dataclass(frozen=True)
class Leader:
    """One leadership: the same machine that leads again is another one."""

    name: str
    lease: str
    """etcd's number of the lease on which the leader's key, and its member's, depend."""
    since: int
    """The revision in which the leader's key was made."""


@dataclass(frozen=True)
class Silence:
    """For how long somebody has left every question unanswered, as far as who asks can know.

    The newest question does not count yet: it may be answered in a moment.
    """

    asked: float
    """When the newest question was asked."""
    unanswered: tuple[float, float] | None = None
    """When the first and the last were asked that were not answered."""

    def after(self, now: float, *, answered: bool) -> Silence:
        """Return what is known when the next question is asked."""
        if answered or now - self.asked > ASLEEP_SECONDS:
            return Silence(now)
        first = self.unanswered[0] if self.unanswered else self.asked
        return Silence(now, (first, self.asked))

    def lived(self, at: float) -> Silence:
        """Return what is known once it is told, later, that somebody lived at a moment."""
        if self.unanswered is None or at <= self.unanswered[0]:
            return self
        last = self.unanswered[1]
        return Silence(self.asked, (at, last) if at < last else None)

    @property
    def seconds(self) -> float:
        """Return how long it has lasted for certain."""
        first, last = self.unanswered or (0.0, 0.0)
        return last - first


@dataclass(frozen=True)
class Vote:
    """What one witness says of a leadership."""

    leader: Leader
    silent: float
    cut: bool = False
    """Whether it knows that the machine is off, and asks it nothing any more."""

    @property
    def text(self) -> str:
        """Return it as it stands in etcd."""
        said = vars(self.leader) | {"silent": self.silent, "cut": self.cut}
        return json.dumps(said)

    @classmethod
    def of(cls, text: str) -> Vote | None:
        """Read one; what is none is nothing."""
        try:
            said = json.loads(text)
            leader = Leader(str(said["name"]), str(said["lease"]), int(said["since"]))
            return cls(leader, float(said["silent"]), bool(said["cut"]))
        except (ValueError, KeyError, TypeError):
            return None


@dataclass(frozen=True)
class Heard:
    """When each witness was last heard to say something new, by the clock of who listens.

    Clocks of two machines are never compared. What stood there at the first look may be old.
    """

    known: Mapping[str, tuple[int, float]] = field(default_factory=dict)

    def after(self, now: float, revisions: Mapping[str, int]) -> Heard:
        """Return what is known after another look."""
        return Heard({name: self._seen(name, now, r) for name, r in revisions.items()})

    def _seen(self, name: str, now: float, revision: int) -> tuple[int, float]:
        before, at = self.known.get(name, (revision, -inf))
        return (revision, now if revision > before else at)

    def within(self, seconds: float, now: float) -> frozenset[str]:
        """Return those that said something new in the last seconds."""
        return frozenset(n for n, (_, at) in self.known.items() if now - at <= seconds)

    def fresh(self, now: float) -> frozenset[str]:
        """Return those whose vote counts."""
        return self.within(FRESH_SECONDS, now)


@dataclass(frozen=True)
class View:
    """What stands in etcd, at one moment."""

    leader: Leader | None
    votes: Mapping[str, Vote | None]
    revisions: Mapping[str, int]
    fenced: Vote | None
    """The last fencing, for as long as no other may follow; ``cut`` once it is proven off."""
    paused: bool = False
    """Whether a person told Patroni to leave all as it is."""


def agreed(
    view: View, fresh: frozenset[str], members: frozenset[str], least_seconds: float
) -> bool:
    """Tell whether the leader is to be fenced: by a majority of all, itself not asked."""
    if view.leader is None or view.leader.name not in members or view.paused or view.fenced:
        return False
    said = {
        name
        for name, vote in view.votes.items()
        if vote is not None
        and vote.leader == view.leader
        and vote.silent >= least_seconds
        and name in fresh
    }
    return 2 * len(said & members - {view.leader.name}) > len(members)


def all_cut(view: View, fresh: frozenset[str], leader: Leader) -> bool:
    """Tell whether every witness that is heard asks the machine that is off nothing any more."""
    return all(
        (vote := view.votes.get(name)) is not None and vote.leader == leader and vote.cut
        for name in fresh - {leader.name}
    )
