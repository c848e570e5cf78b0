"""Secrets that nobody types: made once, kept encrypted in state, handed on as secret outputs."""

from __future__ import annotations

import pulumi
import pulumi_random as random
import pulumi_tls as tls

from .two_words import SECOND, TwoWords
from .values import Secret

_DATABASE: dict[Secret, str] = {
    "owner": "database-owner",
    "replication": "database-replication",
    "rewind": "database-rewind",
    "pooler": "database-pooler",
    "redis": "redis",
    "redis_replication": "redis-replication",
}


class GeneratedSecrets(pulumi.ComponentResource):
    """Every password, token and key that the platform needs and can make itself.

    Passwords are letters and digits only: they pass through shells, URLs and configuration files of
    a dozen programs without being quoted differently in each.
    """

    k3s_token: pulumi.Output[str]
    """What a server shows to join the cluster."""
    k3s_agent_token: pulumi.Output[str]
    """What an agent shows: it must not know what would make it a server."""
    database: dict[Secret, TwoWords]
    """Of the database tier: the words of PostgreSQL's accounts and Redis's, two of each."""
    tunnel_secret: pulumi.Output[str]
    """32 random bytes in base64, as Cloudflare wants them."""
    backup_passphrases: TwoWords
    """Encrypt the backups; whoever loses the state loses the backups without a copy of it."""

    dump_keys: dict[str, tls.PrivateKey]
    """Open the logical dumps; machines have a public half, so that none of them can."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("coldstorage:secrets:GeneratedSecrets", name, {}, opts)

        self.k3s_token = self._password(f"{name}-k3s-token", 48)
        self.k3s_agent_token = self._password(f"{name}-k3s-agent-token", 48)
        self.database = {
            secret: TwoWords.made(f"{name}-{called}", lambda one: self._password(one, 32))
            for secret, called in _DATABASE.items()
        }
        self.backup_passphrases = TwoWords.made(
            f"{name}-backup", lambda one: self._password(one, 64)
        )
        self.tunnel_secret = random.RandomBytes(
            f"{name}-tunnel", length=32, opts=pulumi.ResourceOptions(parent=self)
        ).base64
        self.dump_keys = {
            which: tls.PrivateKey(
                f"{name}-dumps{suffix}",
                algorithm="ED25519",
                opts=pulumi.ResourceOptions(parent=self),
            )
            for which, suffix in (("first", ""), (SECOND, f"-{SECOND}"))
        }
        self.register_outputs(
            {
                "k3s_token": self.k3s_token,
                "k3s_agent_token": self.k3s_agent_token,
                "database": {
                    secret: [pair.first, pair.second] for secret, pair in self.database.items()
                },
                "tunnel_secret": self.tunnel_secret,
                "backup_passphrases": [
                    self.backup_passphrases.first,
                    self.backup_passphrases.second,
                ],
                "dump_keys": self.dump_openers,
            }
        )

    @property
    def dump_openers(self) -> dict[str, pulumi.Output[str]]:
        """Return what opens the dumps: those of before a rotation by the other one."""
        return {
            which: pulumi.Output.secret(key.private_key_openssh)
            for which, key in self.dump_keys.items()
        }

    def _password(self, name: str, length: int) -> pulumi.Output[str]:
        return random.RandomPassword(
            name, length=length, special=False, opts=pulumi.ResourceOptions(parent=self)
        ).result
