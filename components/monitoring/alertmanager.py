"""Alertmanager: takes alerts, tells the right people once, and says when it is over.

What is critical goes to the webhook and by mail, all else by mail alone; where there is one of the
two, it gets everything. No secret is among its settings: it reads each from a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from ..in_cluster import encoded
from ..monitoring_section import Mail, Webhook
from .names import FIGURES, Body, budget, config_map, metadata, service
from .pods import Program, empty, files, pod, resources, several

NAME = "alertmanager"
PORT, GOSSIP = 9093, 9094
SETTINGS, SECRETS, DATA = "/etc/alertmanager", "/run/secrets/alertmanager", "/alertmanager"
PASSWORD, TOKEN = "mail-password", "webhook-token"
AGAIN_CRITICAL, AGAIN = "1h", "12h"
"""After how long somebody is told again of what is still so."""


def settings(mail: Mail | None, webhook: Webhook | None, secrets: Mapping[str, Any]) -> Body:
    """Return alertmanager.yml; ``secrets`` are those that there are, by their file."""
    quiet, loud = _receivers(mail, webhook, secrets)
    return {
        "route": {
            "receiver": "quiet",
            "group_by": ["alertname", "machine"],
            # Others that belong to it are told in the same breath.
            "group_wait": "10s",
            "group_interval": "1m",
            "repeat_interval": AGAIN,
            "routes": [
                {
                    "matchers": ['severity="critical"'],
                    "receiver": "loud",
                    "repeat_interval": AGAIN_CRITICAL,
                }
            ],
        },
        # What is nearly full is no news once it is full.
        "inhibit_rules": [
            {
                "source_matchers": ['severity="critical"', 'what!=""'],
                "target_matchers": ['severity="warning"', 'what!=""'],
                "equal": ["what", "machine", "mountpoint"],
            }
        ],
        "receivers": [{"name": "quiet", **quiet}, {"name": "loud", **loud}],
    }


def _receivers(
    mail: Mail | None, webhook: Webhook | None, secrets: Mapping[str, Any]
) -> tuple[Body, Body]:
    by_mail = {"email_configs": _mails(mail, secrets)} if mail else {}
    by_webhook = {"webhook_configs": [_webhook(webhook, secrets)]} if webhook else {}
    return by_mail or by_webhook, {**by_mail, **by_webhook}


def _mails(mail: Mail, secrets: Mapping[str, Any]) -> list[Body]:
    login: Body = {}
    if mail.user:
        login = {"auth_username": mail.user}
    if mail.user and PASSWORD in secrets:
        login["auth_password_file"] = f"{SECRETS}/{PASSWORD}"
    return [
        {
            "to": recipient,
            "from": mail.sender,
            "smarthost": mail.server,
            "require_tls": not mail.unencrypted,
            "send_resolved": True,
            **login,
        }
        for recipient in mail.recipients
    ]


def _webhook(webhook: Webhook, secrets: Mapping[str, Any]) -> Body:
    shown = {"authorization": {"credentials_file": f"{SECRETS}/{TOKEN}"}}
    return {
        "url": webhook.url,
        "send_resolved": True,
        **({"http_config": shown} if TOKEN in secrets else {}),
    }


def told(settings: str) -> Body:
    """Return the file that it reads."""
    return config_map(NAME, {"alertmanager.yml": settings})


def hidden(secrets: Mapping[str, pulumi.Input[str]]) -> Body:
    """Return the secrets, each a file."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(NAME),
        "data": encoded(secrets),
    }


def objects(
    image: str, replicas: int, told: pulumi.Input[str], *, secrets: bool
) -> dict[str, Body]:
    """Return what runs it, by what it is called; more than one tell each other whom they told."""
    others = [f"--cluster.peer={NAME}-{number}.{NAME}:{GOSSIP}" for number in range(replicas)]
    alone = ["--cluster.listen-address="]
    program = Program(
        name=NAME,
        image=image,
        args=[
            f"--config.file={SETTINGS}/alertmanager.yml",
            f"--storage.path={DATA}",
            f"--web.listen-address=0.0.0.0:{PORT}",
            *(others if replicas > 1 else alone),
        ],
        ports={FIGURES: PORT, "gossip": GOSSIP},
        ready={"path": "/-/ready", "port": FIGURES},
        live={"path": "/-/healthy", "port": FIGURES},
        resources=resources("10m", "32Mi", "128Mi"),
        mounts={
            SETTINGS: "settings",
            DATA: "data",
            **({SECRETS: "secrets"} if secrets else {}),
        },
        written=frozenset({"data"}),
    )
    kept = {"name": "secrets", "secret": {"secretName": NAME, "defaultMode": 0o440}}
    volumes = [files("settings", NAME), empty("data", "256Mi"), *([kept] if secrets else [])]
    return {
        "pods": several(program, replicas, pod(program, volumes, told=told)),
        "service": service(NAME, {FIGURES: PORT}, each=True, early=True),
        "budget": budget(NAME),
    }
