"""``python3 -m fencing SETTINGS.json``: be this machine's witness, for ever."""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import election, hypervisor, routes
from .decision import Heard, Leader, View, Vote, agreed, all_cut
from .hypervisor import NotProvenError, power_off
from .signs import Signs
from .store import Store, StoreError

BEAT, UNEASY_BEAT = 0.25, 0.1
LIFE_SECONDS = 0.5
"""How often a leader says in etcd that it lives."""
UNEASY_SECONDS = 0.8
"""A silence that is worth a word to the others."""
WORD_SECONDS = 0.6
"""How long it is waited until the others ask a dead machine nothing more."""
CUT_SECONDS = 10
DECIDED_SECONDS = 1.0
"""Who takes longer from the last look to the deed was asleep, and does nothing."""


class Witness:
    """What this machine knows of the leader, and what it does about it."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._me, self._members = told["name"], told["members"]
        self._least, self._tls = told["silent_seconds"], told["tls"]
        self._patroni = f"{self._members[self._me]}:{told['api_port']}"
        self._store = Store(told["etcd"], told["tls"], told["cluster"], self._me)
        self._signs = Signs(told["api_port"], told["tls"]["authority"])
        self._hypervisor = hypervisor.of(told["hypervisor"])
        self._heard = Heard()
        self._leader: Leader | None = None
        self._cut: dict[str, float] = {}
        self._looked = time.monotonic()
        self._said = 0.0

    @property
    def rest(self) -> float:
        """Return how long to wait until the next beat."""
        return UNEASY_BEAT if self._signs.silence.seconds > UNEASY_SECONDS else BEAT

    def beat(self) -> None:
        """Look, say what there is to say, and do what was agreed on."""
        # Also while etcd is away: it may lack just the machine that nobody asks.
        self._lift_cuts()
        view = self._look()
        now, leader = time.monotonic(), view.leader
        if leader is None and self._cut:
            election.hasten(self._patroni, self._tls)
        if leader is None or leader.name == self._me:
            return
        off = view.fenced and view.fenced.cut and view.fenced.leader == leader
        if off and leader.name not in self._cut:
            self._stop_asking(leader.name)
            self._look()
        if agreed(view, self._heard.fresh(now), frozenset(self._members), self._least):
            self._fence(leader)

    def _look(self) -> View:
        asked = time.monotonic()
        view = self._store.look(self._vote())
        before, self._looked = self._looked, asked
        now, leader = time.monotonic(), view.leader
        self._heard, self._leader = self._heard.after(now, view.revisions), leader
        if leader is None or leader.name == self._me:
            self._signs.follow("")
            return view
        address = self._members.get(leader.name, "")
        self._signs.follow(address)
        # By whatever way its word came to etcd: it did so after the last look.
        if leader.name in self._heard.within(0, now):
            self._signs.lived(address, before)
        return view

    def _vote(self) -> Vote | None:
        """Return what to say: a leader that it lives, a witness that it hears nothing."""
        if self._leader is None:
            return None
        silent = self._signs.silence.seconds
        if self._leader.name == self._me:
            return Vote(self._leader, 0) if self._due() else None
        cut = self._leader.name in self._cut
        return Vote(self._leader, silent, cut) if cut or silent > UNEASY_SECONDS else None

    def _due(self) -> bool:
        """Tell whether a leader has to say again that it lives."""
        now = time.monotonic()
        if now - self._said < LIFE_SECONDS:
            return False
        self._said = now
        return True

    def _fence(self, leader: Leader) -> None:
        silent = self._signs.silence.seconds
        lease = self._store.claim(Vote(leader, silent)) if silent >= self._least else None
        if lease is None:
            return
        say(f"{leader.name} is silent for {silent:.1f} s, a majority says so")
        began = time.monotonic()
        view = self._look()
        still = view.leader == leader and self._signs.silence.seconds >= self._least
        if not still or time.monotonic() - began > DECIDED_SECONDS:
            say(f"{leader.name}: left alone, it is heard again or no more the leader")
            return
        try:
            took = power_off(self._hypervisor, leader.name)
        except NotProvenError as error:
            say(f"{leader.name}: not proven to be off, nothing is handed over: {error}")
            return
        say(f"{leader.name}: is off, proven after {took:.1f} s")
        self._hand_over(leader, lease)

    def _hand_over(self, leader: Leader, lease: str) -> None:
        """End the leadership of a machine that is off, once nobody waits for its answers."""
        self._stop_asking(leader.name)
        deadline = time.monotonic() + WORD_SECONDS
        with suppress(StoreError):
            self._store.tell(Vote(leader, 0, cut=True), lease)
            while time.monotonic() < deadline:
                if all_cut(self._look(), self._heard.fresh(time.monotonic()), leader):
                    break
                time.sleep(UNEASY_BEAT / 2)
        while True:
            with suppress(StoreError):
                self._store.revoke(leader)
                say(f"{leader.name}: its leadership is ended")
                election.hasten(self._patroni, self._tls)
                return
            if time.monotonic() > deadline + CUT_SECONDS:
                say(f"{leader.name}: etcd does not answer, its ttl ends its leadership")
                return
            time.sleep(BEAT)

    def _stop_asking(self, name: str) -> None:
        """Have whoever asks a dead machine be told at once that it can't be reached.

        Patroni's election would wait two seconds for its answer.
        """
        if name not in self._cut:
            self._cut[name] = time.monotonic() + CUT_SECONDS
            routes.cut(self._members[name])

    def _lift_cuts(self) -> None:
        now = time.monotonic()
        for name in [name for name, until in self._cut.items() if now > until]:
            del self._cut[name]
            routes.lift(self._members[name])


def say(what: str) -> None:
    """Write to the journal."""
    sys.stderr.write(f"{what}\n")


def main() -> None:
    """Witness for ever; etcd may be away for a while."""
    told = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    routes.lift_all()
    witness = Witness(told)
    while True:
        with suppress(StoreError):
            witness.beat()
        time.sleep(witness.rest)


if __name__ == "__main__":
    main()
