"""A secret of the database tier is changed, and no request fails: ``ops.database STACK rotate``.

Of each there are two words, both taken at any time, and the stack file says which is used. What
somebody may have learnt is worth nothing once the other is used and it was made anew: two runs of
the engine. Between them, and after a run that was cut off, everything works; run it again.
Keys of what is kept for long go the other way about: the spare is made anew, and then used; what
the last key sealed can still be opened. Of the bucket's key and of the machines' certificates there
are two while the engine runs: it makes the new one first, and removes the old one last.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol, cast, get_args

from components.two_words import SECOND
from components.values import Secret
from ops.reach import FailedError
from ops.stack_files import StackFile
from ops.tier import Tier

AT_ONCE = {"bucket": "backups-key", "certificates": "database-certificates-key-*"}
"""The resources that one run makes anew."""
USE, RENEW = "use the other", "renew the spare"
SECRETS: tuple[str, ...] = (*get_args(Secret), *AT_ONCE)
BACKUPS: Secret = "backups"
AUTHORITY: Secret = "authority"
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
    AUTHORITY: "database-certificates-authority-key",
}


class Engine(Protocol):
    """What changes the stack."""

    def uses_second(self, secret: Secret) -> bool:
        """Tell which word is used."""

    def use(self, secret: Secret, *, second: bool) -> None:
        """Have a word used, everywhere."""

    def renew(self, *patterns: str) -> None:
        """Have resources made anew, and everybody know them."""


def rotate(tier: Tier, engine: Engine, secret: str, only: str | None = None) -> None:
    """Change a secret, or do one step of it; the tier is well before each, or nothing is done."""
    steps = _steps(tier, engine, secret)
    if only is not None and only not in steps:
        raise FailedError(f"{secret}: expected a step of {[*steps]}, got {only}")
    for step in [only] if only else steps:
        if not tier.well():
            raise FailedError(f"the tier is not well, nothing is changed: {tier.members()}")
        print(f"{secret}: {step}")
        steps[step]()
        tier.wait("the tier is not well, nothing more is changed", tier.well)
    print(f"{secret}: done")


def _steps(tier: Tier, engine: Engine, name: str) -> dict[str, Callable[[], None]]:
    """Return the steps in their order; each looks itself which word is used."""
    if name in AT_ONCE:
        return {RENEW: lambda: engine.renew(AT_ONCE[name])}
    secret = cast("Secret", name)

    def use() -> None:
        engine.use(secret, second=not engine.uses_second(secret))

    def renew() -> None:
        spare = "" if engine.uses_second(secret) else f"-{SECOND}"
        # Patroni looks anew at whom it trusts when its own certificate is a new one.
        known_by = [AT_ONCE["certificates"]] if secret == AUTHORITY else []
        engine.renew(f"{_RESOURCES[secret]}{spare}", *known_by)

    if secret == BACKUPS:
        return {RENEW: renew, USE: use, "back up": lambda: _first_backup(tier)}
    return {RENEW: renew, USE: use} if secret in SEALING else {USE: use, RENEW: renew}


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

    def renew(self, *patterns: str) -> None:
        """Replace them; in production their protection is lifted first, and comes back with it."""
        found = self._found(patterns)
        if protected := [urn for urn, is_so in found.items() if is_so]:
            self._run("state", "unprotect", *protected, "--yes")
        self._run("up", "--yes", "--skip-preview", *(f"--replace={urn}" for urn in found))

    def _found(self, patterns: Sequence[str]) -> dict[str, bool]:
        state = json.loads(self._run("stack", "export", quiet=True))["deployment"]["resources"]
        names = {known["urn"]: known["urn"].rsplit("::", 1)[1] for known in state}
        found = {
            known["urn"]: bool(known.get("protect"))
            for known in state
            if any(fnmatchcase(names[known["urn"]], pattern) for pattern in patterns)
        }
        if not found:
            raise FailedError(f"the state knows no {' or '.join(patterns)}: run `pulumi up` first")
        return found

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
