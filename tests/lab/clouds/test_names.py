"""Names are looked up as at Cloudflare: a proxied one is an address of the edge, and no more."""

from __future__ import annotations

import pytest

from lab.clouds.cloudflare import ZONE_ID

from .edge import AAAA, HOST
from .project import DOMAIN

pytestmark = pytest.mark.engine
FINE, NO_SUCH_NAME = 0, 3


def test_a_proxied_name_is_an_address_of_the_edge(edge):
    assert edge.look_up(HOST) == (FINE, ["127.0.0.1"])
    assert edge.look_up(HOST.upper()) == (FINE, ["127.0.0.1"])


def test_it_has_no_address_of_another_kind(edge):
    assert edge.look_up(HOST, AAAA) == (FINE, [])


def test_there_is_no_name_without_a_record(edge):
    assert edge.look_up(f"other.{DOMAIN}") == (NO_SUCH_NAME, [])
    assert edge.look_up("deb.example.com") == (NO_SUCH_NAME, [])


def test_a_name_is_there_as_soon_as_its_record_is(edge):
    record = {"zoneId": ZONE_ID, "name": DOMAIN, "type": "CNAME", "ttl": 1, "proxied": True}
    edge.flare.create("DnsRecord", record | {"content": f"{edge.tunnel}.cfargotunnel.com"})

    assert edge.look_up(DOMAIN) == (FINE, ["127.0.0.1"])
