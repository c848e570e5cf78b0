"""Secrets that nobody types: made once, kept encrypted in state, handed on as secret outputs."""

from __future__ import annotations

import pulumi
import pulumi_random as random
import pulumi_tls as tls


class GeneratedSecrets(pulumi.ComponentResource):
    """Every password, token and key that the platform needs and can make itself.

    Passwords are letters and digits only: they pass through shells, URLs and configuration files of
    a dozen programs without being quoted differently in each.
    """

    k3s_token: pulumi.Output[str]
    """What a server shows to join the cluster."""
    k3s_agent_token: pulumi.Output[str]
    """What an agent shows: it must not know what would make it a server."""
    database_passwords: dict[str, pulumi.Output[str]]
    """Of PostgreSQL's roles: superuser, replication, rewind, pooler, owner of the data."""
    redis_password: pulumi.Output[str]
    """Of the application."""
    redis_replication_password: pulumi.Output[str]
    tunnel_secret: pulumi.Output[str]
    """32 random bytes in base64, as Cloudflare wants them."""
    backup_passphrase: pulumi.Output[str]
    """Encrypts the backups; whoever loses the state loses the backups without a copy of it."""

    dump_key: tls.PrivateKey
    """Opens the logical dumps; machines have its public half, so that none of them can."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("coldstorage:secrets:GeneratedSecrets", name, {}, opts)

        self.k3s_token = self._password(f"{name}-k3s-token", 48)
        self.k3s_agent_token = self._password(f"{name}-k3s-agent-token", 48)
        self.database_passwords = {
            role: self._password(f"{name}-database-{role}", 32)
            for role in ("superuser", "replication", "rewind", "owner", "pooler")
        }
        self.redis_password = self._password(f"{name}-redis", 32)
        self.redis_replication_password = self._password(f"{name}-redis-replication", 32)
        self.backup_passphrase = self._password(f"{name}-backup", 64)
        self.tunnel_secret = random.RandomBytes(
            f"{name}-tunnel", length=32, opts=pulumi.ResourceOptions(parent=self)
        ).base64
        self.dump_key = tls.PrivateKey(
            f"{name}-dumps", algorithm="ED25519", opts=pulumi.ResourceOptions(parent=self)
        )
        self.register_outputs(
            {
                "k3s_token": self.k3s_token,
                "k3s_agent_token": self.k3s_agent_token,
                "database_passwords": self.database_passwords,
                "redis_password": self.redis_password,
                "redis_replication_password": self.redis_replication_password,
                "tunnel_secret": self.tunnel_secret,
                "backup_passphrase": self.backup_passphrase,
                "dump_key": pulumi.Output.secret(self.dump_key.private_key_openssh),
            }
        )

    def _password(self, name: str, length: int) -> pulumi.Output[str]:
        return random.RandomPassword(
            name, length=length, special=False, opts=pulumi.ResourceOptions(parent=self)
        ).result
