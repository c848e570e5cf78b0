"""Whoever watches the platform can tell somebody, and is let in where he does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..faults import Fault, key
from ..monitoring_section import Monitoring


def mail_password_missing(monitoring: Monitoring, present: Mapping[str, object]) -> Iterator[Fault]:
    """Who logs in to send a mail has a password."""
    if monitoring.mail and monitoring.mail.user and not present.get("alert_mail_password"):
        user = f"{monitoring.mail.user} of {key('monitoring', 'mail', 'user')}"
        yield Fault(("alert_mail_password",), f"is missing, but {user} logs in with it", "a secret")


def token_over_an_open_line(
    monitoring: Monitoring, present: Mapping[str, object]
) -> Iterator[Fault]:
    """What lets in travels encrypted."""
    hook, mail = monitoring.webhook, monitoring.mail
    if hook and hook.url.startswith("http://") and present.get("alert_webhook_token"):
        wrong = f"{hook.url} would be told {key('alert_webhook_token')} in the clear"
        path = ("monitoring", "webhook", "url")
        yield Fault(path, wrong, "an address that begins with https://")
    if mail and mail.unencrypted and mail.user:
        wrong = f"{key('alert_mail_password')} would travel in the clear"
        yield Fault(("monitoring", "mail", "unencrypted"), wrong, "false, or no user")


def nobody_is_told(monitoring: Monitoring) -> Iterator[Fault]:
    """An alert that reaches nobody is none."""
    if monitoring.images and not (monitoring.mail or monitoring.webhook):
        told = f"{key('monitoring', 'mail')} or {key('monitoring', 'webhook')}"
        wrong = "watches the platform, and nobody is told what is found"
        yield Fault(("monitoring",), wrong, told)


def figures_end_with_their_pod(monitoring: Monitoring) -> Iterator[Fault]:
    """What is to be kept for days is kept somewhere."""
    if monitoring.images and not monitoring.volume:
        days = f"the {monitoring.retention_days} days of {key('monitoring', 'retention_days')}"
        wrong = f"watch the platform, and {days} end with each pod"
        yield Fault(("monitoring", "images"), wrong, key("monitoring", "volume"))
