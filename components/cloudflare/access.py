"""Who may pass to what is not for everybody; Cloudflare asks before a request enters the tunnel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from .resources import ZeroTrustAccessApplication, ZeroTrustAccessPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class People:
    """Some people, by what is known of their e-mail addresses."""

    domains: Sequence[str] = ()
    emails: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not (self.domains or self.emails):
            raise ValueError("people: name a domain or an address, or nobody could ever pass")

    @property
    def includes(self) -> list[dict[str, Any]]:
        """Return them as a policy names them."""
        domains = [{"emailDomain": {"domain": domain}} for domain in self.domains]
        return [*domains, *({"email": {"email": email}} for email in self.emails)]


@dataclass(frozen=True, kw_only=True, slots=True)
class ProtectedPagesArgs:
    """What :class:`ProtectedPages` need to know."""

    account_id: str
    label: str
    """Their name at Cloudflare, where nothing forbids a second one of the same name."""
    places: Sequence[str]
    """Host names, with a path where only what lies below it is protected."""
    people: People
    session_hours: int

    def __post_init__(self) -> None:
        if not self.places:
            raise ValueError("places: name at least one")


class ProtectedPages(pulumi.ComponentResource):
    """Pages, and the people who may see them; all others are turned away at the edge."""

    application: ZeroTrustAccessApplication
    """Until it is there the pages must not be reachable."""

    def __init__(
        self, name: str, args: ProtectedPagesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("coldstorage:cloudflare:ProtectedPages", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        session = f"{args.session_hours}h"
        policy = ZeroTrustAccessPolicy(
            f"{name}-policy",
            {
                "accountId": args.account_id,
                "name": args.label,
                "decision": "allow",
                "includes": args.people.includes,
                "sessionDuration": session,
            },
            child,
        )
        self.application = ZeroTrustAccessApplication(
            f"{name}-application",
            {
                "accountId": args.account_id,
                "name": args.label,
                "type": "self_hosted",
                "destinations": [{"type": "public", "uri": place} for place in args.places],
                "policies": [{"id": policy.id, "precedence": 1}],
                "sessionDuration": session,
                "httpOnlyCookieAttribute": True,
                "appLauncherVisible": False,
            },
            child,
        )
        self.register_outputs({"application": self.application.id})
