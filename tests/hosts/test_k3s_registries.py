"""What a node is told of registries becomes what K3s reads."""

from __future__ import annotations

import pytest

from hosts.k3s_registries import Mirror, authorities, registries

PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"


def test_a_mirror_with_an_authority_is_trusted_by_that_authority_alone():
    mirrors = {"*": Mirror(endpoint="https://203.0.113.5:5000", authority=PEM)}

    said = registries(mirrors)

    assert said["mirrors"] == {"*": {"endpoint": ["https://203.0.113.5:5000"]}}
    (place,) = authorities(mirrors)
    assert said["configs"] == {"203.0.113.5:5000": {"tls": {"ca_file": place}}}
    assert authorities(mirrors)[place] == f"{PEM}\n"


def test_a_public_mirror_needs_no_file():
    mirrors = {"docker.io": Mirror(endpoint="https://mirror.example.org")}

    assert registries(mirrors)["configs"] == {}
    assert authorities(mirrors) == {}


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ({"endpoint": "http://mirror.example.org"}, "endpoint: must begin with https://"),
        ({"endpoint": "https://x", "authority": "none"}, "authority: expected PEM"),
    ],
)
def test_a_mirror_that_cannot_be_trusted_is_refused(told, wrong):
    with pytest.raises(ValueError, match=wrong):
        Mirror(**told)
