"""The identity questions of Cloudflare's and Hetzner's APIs, answered for the lab.

A STAND-IN: just what the fingerprint guard asks. Their resources come with the lab's plugins.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Header, HTTPException

ZONE_ID = "1ab0" * 8
ACCOUNT_ID = "acc0" * 8


def identities(*, domain: str, project: str, token: str) -> FastAPI:
    """Return both APIs for the holder of ``token``, who owns one zone and one project."""
    app = FastAPI(title="Identities", openapi_url=None)

    def admit(authorization: str) -> None:
        if authorization != f"Bearer {token}":
            raise HTTPException(401, "unauthorized")

    @app.get("/client/v4/zones")
    def zones(name: str, authorization: str = Header("")) -> dict[str, Any]:
        admit(authorization)
        zone = {"id": ZONE_ID, "name": domain, "account": {"id": ACCOUNT_ID, "name": "lab"}}
        return {"success": True, "result": [zone] if name == domain else []}

    @app.get("/v1/placement_groups")
    def placement_groups(name: str, authorization: str = Header("")) -> dict[str, Any]:
        admit(authorization)
        return {
            "placement_groups": [{"id": 1, "name": name}] if name == f"project-{project}" else []
        }

    return app
