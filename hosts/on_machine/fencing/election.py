"""Has this machine's Patroni look at once whether there is a leader."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from contextlib import suppress

PATIENCE = 1.0
# A setting that nobody has is taken away: nothing changes, and Patroni wakes up.
_NO_CHANGE = json.dumps({"fencing": None})


def hasten(where: str, tls: Mapping[str, str]) -> None:
    """Wake Patroni, which may have missed that the leader's key is gone.

    It hears of that by a watch, and makes that anew when etcd has elected: just now, where etcd's
    leader was on the machine that died. Then it looks again only after its loop's whole wait.
    """
    context = ssl.create_default_context(cafile=tls["authority"])
    context.load_cert_chain(tls["certificate"], tls["key"])
    connection = http.client.HTTPSConnection(where, timeout=PATIENCE, context=context)
    with suppress(OSError, http.client.HTTPException):
        connection.request("PATCH", "/config", _NO_CHANGE)
        connection.getresponse().read()
    connection.close()
