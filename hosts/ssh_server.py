"""The SSH server: keys only, and no ban for those who operate the machine."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network

from pyinfra.operations import files, server, systemd

from .deploying import deploy
from .rendering import rendered


@dataclass(frozen=True, kw_only=True, slots=True)
class SshServer:
    """Who is never banned: a deploy opens connections faster than an attacker."""

    operators: tuple[IPv4Network, ...]


@deploy("SSH server")
def ssh_server(wanted: SshServer) -> None:
    """Harden the SSH server; settings that it would refuse are never loaded."""
    settings = files.put(
        name="Write the settings of the SSH server",
        src=rendered("sshd.conf.j2", wanted=wanted),
        dest="/etc/ssh/sshd_config.d/10-platform.conf",
        mode="600",
    )
    server.shell(
        name="Check the settings of the SSH server", commands=["sshd -t"], _if=settings.did_change
    )
    systemd.service(
        name="Have the SSH server read its settings",
        service="ssh.service",
        reloaded=True,
        _if=settings.did_change,
    )
