"""etcd through its JSON gateway, as far as a witness needs it: one question a beat."""

from __future__ import annotations

import http.client
import json
import ssl
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from .decision import Leader, View, Vote

PATIENCE = 1.0
QUIET_SECONDS = 60
"""For so long after a fencing, or an attempt at one, there is no other."""
_OK = 200


class StoreError(Exception):
    """etcd did not answer, or sees no quorum: nothing is known."""


class Store:
    """This machine's own member; what it answers was agreed on by a majority."""

    def __init__(self, url: str, tls: Mapping[str, str], cluster: str, name: str) -> None:
        self._url, self._tls = urlsplit(url), tls
        self._connection: http.client.HTTPSConnection | None = None
        self._patroni = f"/service/{cluster}"
        self._votes = f"/fencing/{cluster}/votes/"
        self._fenced = f"/fencing/{cluster}/fenced"
        self._mine = f"{self._votes}{name}"

    def look(self, vote: Vote | None) -> View:
        """Say what this witness says, if anything, and return what stands there."""
        keys = (f"{self._patroni}/leader", f"{self._patroni}/config", self._fenced)
        asked: list[dict[str, Any]] = [{"requestRange": {"key": _coded(key)}} for key in keys]
        end = self._votes[:-1] + chr(ord("/") + 1)
        asked.append({"requestRange": {"key": _coded(self._votes), "range_end": _coded(end)}})
        said = [_put(self._mine, vote.text)] if vote else []
        answer = self._ask("kv/txn", {"success": [*said, *asked]})
        leader, config, fenced, votes = (
            part["response_range"].get("kvs", []) for part in answer["responses"][len(said) :]
        )
        named = {_text(kv["key"]).removeprefix(self._votes): kv for kv in votes}
        return View(
            leader=_leader(leader[0]) if leader else None,
            votes={name: Vote.of(_text(kv["value"])) for name, kv in named.items()},
            revisions={name: int(kv["mod_revision"]) for name, kv in named.items()},
            fenced=Vote.of(_text(fenced[0]["value"])) if fenced else None,
            paused=bool(config) and json.loads(_text(config[0]["value"])).get("pause") is True,
        )

    def claim(self, vote: Vote) -> str | None:
        """Be the one who fences this leadership; return the lease of that, or nothing.

        Nobody else may for a while, however this ends.
        """
        leader = vote.leader
        lease = str(self._ask("lease/grant", {"TTL": QUIET_SECONDS})["ID"])
        compared = [
            {"key": _coded(self._fenced), "target": "VERSION", "version": 0},
            {
                "key": _coded(f"{self._patroni}/leader"),
                "target": "CREATE",
                "create_revision": leader.since,
            },
        ]
        answer = self._ask(
            "kv/txn", {"compare": compared, "success": [_put(self._fenced, vote.text, lease)]}
        )
        return lease if answer.get("succeeded") else None

    def tell(self, vote: Vote, lease: str) -> None:
        """Have all know how the fencing goes."""
        self._ask("kv/txn", {"success": [_put(self._fenced, vote.text, lease)]})

    def revoke(self, leader: Leader) -> None:
        """End a leadership: this lease has never been anybody else's."""
        self._ask("lease/revoke", {"ID": leader.lease})

    def _ask(self, what: str, told: Mapping[str, object]) -> dict[str, Any]:
        try:
            connection = self._connection = self._connection or self._connected()
            connection.request("POST", f"/v3/{what}", json.dumps(told))
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            if self._connection:
                self._connection.close()
            self._connection = None
            raise StoreError(f"{what}: {error!r}") from error
        if response.status != _OK:
            raise StoreError(f"{what}: {response.status} {text}")
        return dict(json.loads(text))

    def _connected(self) -> http.client.HTTPSConnection:
        # Read anew each time: certificates may have been exchanged.
        context = ssl.create_default_context(cafile=self._tls["authority"])
        context.load_cert_chain(self._tls["certificate"], self._tls["key"])
        return http.client.HTTPSConnection(self._url.netloc, timeout=PATIENCE, context=context)


def _leader(kv: Mapping[str, str]) -> Leader:
    return Leader(_text(kv["value"]), kv.get("lease", "0"), int(kv["create_revision"]))


def _put(key: str, value: str, lease: str = "0") -> dict[str, Any]:
    return {"requestPut": {"key": _coded(key), "value": _coded(value), "lease": lease}}


def _coded(text: str) -> str:
    return b64encode(text.encode()).decode()


def _text(coded: str) -> str:
    return b64decode(coded).decode()
