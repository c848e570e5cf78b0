"""The section of a stack file that says what watches the platform, and who is told."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .sections import Section
from .values import EmailAddress, PinnedImage, Positive

Place = Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+:[0-9]{1,5}$", examples=["mail.example:587"])]


class Images(Section):
    """What runs in the cluster; without images nothing of it does."""

    prometheus: PinnedImage
    alertmanager: PinnedImage
    kube_state_metrics: PinnedImage
    node_exporter: PinnedImage
    grafana: PinnedImage | None = None
    """Without it there are no pictures, and everybody is told all the same."""


class Mail(Section):
    """Who gets a mail of every alert."""

    server: Place
    """Name and port; it must speak TLS unless ``unencrypted``."""
    sender: EmailAddress
    recipients: tuple[EmailAddress, ...] = Field(min_length=1)
    user: str | None = Field(default=None, min_length=1)
    """Who logs in there, with the secret ``alert_mail_password``."""
    unencrypted: bool = False


class Webhook(Section):
    """What is told of everything critical: a gateway for SMS, a chat, somebody on call."""

    url: str = Field(pattern=r"^https?://[^\s@]+$", examples=["https://sms.example/alerts"])
    """It gets Alertmanager's own JSON, and the secret ``alert_webhook_token`` if there is one."""


class Volume(Section):
    """A disk for what Prometheus measured."""

    storage_class: str = Field(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", examples=["local-path"])
    gib: Positive


class Monitoring(Section):
    """Metrics, the page that shows them, and who is told when something is wrong."""

    dashboard_path: str = Field(pattern=r"^/[a-z0-9/_-]+$", examples=["/infrastructure"])
    retention_days: Positive
    images: Images | None = None
    mail: Mail | None = None
    webhook: Webhook | None = None
    volume: Volume | None = None
    """Without one, what was measured ends with the pod."""
