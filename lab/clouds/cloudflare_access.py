"""Who may pass: applications, policies, groups and service tokens. The edge enforces them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from .cloud import Cloud, Kind
from .drawing import drawn_hex, drawn_uuid
from .records import Record, Refused, Values

A_DAY, A_YEAR = "24h", timedelta(hours=8760)


def _application(_cloud: Cloud, _id: str, inputs: Values, before: Record | None) -> Values:
    domains = [d["uri"] for d in inputs.get("destinations", []) if "uri" in d]
    domains = domains or inputs.get("selfHostedDomains") or [inputs.get("domain", "")]
    return {
        "appLauncherVisible": inputs.get("appLauncherVisible", True),
        "aud": before.outputs["aud"] if before else drawn_hex(32),
        "destinations": inputs.get("destinations", [{"type": "public", "uri": d} for d in domains]),
        "domain": inputs.get("domain", domains[0]),
        "httpOnlyCookieAttribute": inputs.get("httpOnlyCookieAttribute", True),
        "selfHostedDomains": domains,
        "sessionDuration": inputs.get("sessionDuration", A_DAY),
        "type": inputs.get("type", "self_hosted"),
    }


def _check_application(cloud: Cloud, inputs: Values, before: Record | None) -> None:
    whose(cloud, inputs, before)
    for policy in inputs.get("policies", []):
        if "id" in policy and not cloud.records.get("ZeroTrustAccessPolicy", policy["id"]):
            raise Refused(400, "12130", f"access.api.error.policy_not_found: {policy['id']}")


def _policy(_cloud: Cloud, _id: str, inputs: Values, _before: Record | None) -> Values:
    return {
        "includes": inputs.get("includes", []),
        "sessionDuration": inputs.get("sessionDuration", A_DAY),
    }


def _check_policy(_cloud: Cloud, inputs: Values, _before: Record | None) -> None:
    if not inputs.get("includes"):
        raise Refused(400, "12130", "access.api.error.invalid_request: a policy needs an include")


def _service_token(_cloud: Cloud, _id: str, inputs: Values, before: Record | None) -> Values:
    version = inputs.get("clientSecretVersion", 1)
    rotated = before is not None and before.outputs["clientSecretVersion"] != version
    fresh = {} if before and not rotated else {"clientSecret": drawn_hex(32)}
    expires = (datetime.now(UTC) + A_YEAR).strftime("%Y-%m-%dT%H:%M:%SZ")
    return fresh | {
        "clientId": before.outputs["clientId"] if before else f"{drawn_hex(16)}.access",
        "clientSecretVersion": version,
        "duration": inputs.get("duration", "8760h"),
        "expiresAt": before.outputs["expiresAt"] if before else expires,
    }


def whose(_cloud: Cloud, inputs: Values, _before: Record | None) -> None:
    """Refuse what belongs to no one, or to an account and a zone."""
    if ("accountId" in inputs) == ("zoneId" in inputs):
        raise Refused(400, "12130", "exactly one of accountId and zoneId must be given")


ACCESS: Mapping[str, Kind] = {
    "ZeroTrustAccessApplication": Kind(
        identity=drawn_uuid, computed=_application, check=_check_application
    ),
    "ZeroTrustAccessPolicy": Kind(identity=drawn_uuid, computed=_policy, check=_check_policy),
    "ZeroTrustAccessGroup": Kind(identity=drawn_uuid, check=whose),
    "ZeroTrustAccessServiceToken": Kind(
        identity=drawn_uuid,
        computed=_service_token,
        check=whose,
    ),
}
