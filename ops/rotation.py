"""A secret of the database tier is changed, and no request fails: ``ops.database STACK rotate``.

Of each there are two words, both taken at any time, and the stack file says which is used. What
somebody may have learnt is worth nothing once the other is used and it was made anew: two runs of
the engine. Between them, and after a run that was cut off, everything works; run it again.
Keys of what is kept for long go the other way about: the spare is made anew, and then used; what
the last key sealed can still be opened.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, get_args

from components.two_words import SECOND
from components.values import Secret
from ops.reach import FailedError
from ops.stack_files import StackFile
from ops.tier import Tier

SECRETS: tuple[Secret, ...] = get_args(Secret)
BACKUPS: Secret = "backups"
SEALING: frozenset[Secret] = frozenset({"dumps", BACKUPS})
"""They seal what is kept; the others open doors."""
_RESOURCES: dict[Secret, str] = {
    "owner": "secrets-database-owner",
    "replication": "secrets-database-replication",
    "rewind": "secrets-database-rewind",
    "pooler": "secrets-database-pooler",
    "redis": "secrets-redis",
    "redis_replication": "secrets-redis-replication",
    "dumps": "secrets-dumps",
    BACKUPS: "secrets-backup",
}


class Engine(Protocol):
    """What changes the stack."""

    def uses_second(self, secret: Secret) -> bool:
        """Tell which word is used."""

    def use(self, secret: Secret, *, second: bool) -> None:
        """Have a word used, everywhere."""

    def renew(self, resource: str) -> None:
        """Have a resource made anew, and everybody know it."""


def rotate(tier: Tier, engine: Engine, secret: Secret) -> None:
    """Use the other word and make the one anew that was used; the tier is well before each run."""
    second = engine.uses_second(secret)

    def switch() -> None:
        print(f"{secret}: from now on the {'first' if second else 'second'} word is used")
        engine.use(secret, second=not second)

    def renew(*, renewed: bool) -> None:
        resource = f"{_RESOURCES[secret]}-{SECOND}" if renewed else _RESOURCES[secret]
        print(f"{secret}: {resource} is made anew")
        engine.renew(resource)

    steps: tuple[Callable[[], None], ...]
    if secret == BACKUPS:
        steps = (lambda: renew(renewed=not second), switch, lambda: _first_backup(tier))
    elif secret in SEALING:
        steps = (lambda: renew(renewed=not second), switch)
    else:
        steps = (switch, lambda: renew(renewed=second))
    if not tier.well():
        raise FailedError(f"the tier is not well, nothing is changed: {tier.members()}")
    for step in steps:
        step()
        tier.wait("the tier is not well, nothing more is changed", tier.well)
    print(f"{secret}: was rotated")


def _first_backup(tier: Tier) -> None:
    """Have a backup in the new repository, now and not when its being missed is noticed."""
    leader = tier.leader()
    if leader is None:
        raise FailedError("nobody leads: start a full backup when somebody does")
    leader.run("systemctl start database-backup@full.service", seconds=7 * 3600)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pulumi:
    """The engine, on one stack; what it says is shown."""

    project: Path
    stack: str

    def uses_second(self, secret: Secret) -> bool:
        """Read it in the stack file."""
        file = StackFile(project=self.project, stack=self.stack)
        return bool(file.section("database").get("second_secrets", {}).get(secret, False))

    def use(self, secret: Secret, *, second: bool) -> None:
        """Write it into the stack file, and run."""
        file = StackFile(project=self.project, stack=self.stack)
        file.pin(f"database.second_secrets.{secret}", "true" if second else "false")
        self._run("up", "--yes", "--skip-preview")

    def renew(self, resource: str) -> None:
        """Replace it; in production its protection is lifted first, and comes back with it."""
        urn, protected = self._found(resource)
        if protected:
            self._run("state", "unprotect", urn, "--yes")
        self._run("up", "--yes", "--skip-preview", "--replace", urn)

    def _found(self, resource: str) -> tuple[str, bool]:
        state = json.loads(self._run("stack", "export", quiet=True))["deployment"]["resources"]
        for known in state:
            if known["urn"].rsplit("::", 1)[1] == resource:
                return known["urn"], known.get("protect", False)
        raise FailedError(f"the state knows no {resource}: run `pulumi up` first")

    def _run(self, *words: str, quiet: bool = False) -> str:
        done = subprocess.run(
            ["pulumi", "--non-interactive", "--stack", self.stack, *words],
            cwd=self.project,
            stdout=subprocess.PIPE if quiet else None,
            text=True,
            check=False,
        )
        if done.returncode:
            raise FailedError(f"pulumi {words[0]}: exit {done.returncode}; run it again")
        return done.stdout if quiet else ""
