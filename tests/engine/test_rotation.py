"""A secret is rotated by the real engine, in a stack whose secrets are protected."""

from __future__ import annotations

import json
import os

import pytest

from lab.on_records import Lab, running
from ops.rotation import AT_ONCE, Pulumi
from tests.engine.conftest import planned, state

pytestmark = pytest.mark.engine
OWNER = "secrets-database-owner"
AUTHORITIES = [f"database-certificates-authority-key{which}" for which in ("", "-second")]


@pytest.fixture
def production(tmp_path, monkeypatch):
    with running("production", tmp_path) as lab:
        for name, value in lab.variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PATH", f"{lab.variables.get('PATH', '')}:{os.environ['PATH']}")
        lab.pulumi("up", "--yes", "--skip-preview")
        yield lab


def words(lab: Lab) -> dict[str, tuple[str, bool]]:
    """Return both words of the owner, and whether each is protected."""
    said = lab.pulumi("stack", "export", "--show-secrets").stdout
    resources = json.loads(said)["deployment"]["resources"]
    return {
        name: (json.dumps(r["outputs"]["result"]), r["protect"])
        for r in resources
        if (name := r["urn"].rsplit("::", 1)[1]).startswith(OWNER)
    }


def test_the_other_word_is_used_and_the_one_used_before_is_made_anew(production):
    engine = Pulumi(project=production.folder, stack="production")
    before = words(production)
    assert not engine.uses_second("owner")

    engine.use("owner", second=True)
    assert engine.uses_second("owner")
    assert words(production) == before
    engine.renew(OWNER)

    after = words(production)
    assert after[OWNER][0] != before[OWNER][0]
    assert after[f"{OWNER}-second"] == before[f"{OWNER}-second"]
    assert {protected for _, protected in after.values()} == {True}
    assert planned(production) == {}


def test_the_buckets_key_and_the_certificates_are_made_anew_and_the_authority_is_not(production):
    engine = Pulumi(project=production.folder, stack="production")
    before = ids(production)

    engine.renew(AT_ONCE["bucket"])
    engine.renew(AT_ONCE["certificates"])

    after = ids(production)
    changed = {name for name in before if before[name] != after[name]}
    hosts = ("db-node1", "db-node2", "db-node3")
    keys = {f"database-certificates-key-{host}" for host in hosts}
    assert {"backups-key", *keys} <= changed
    assert not [name for name in changed if "authority" in name]
    assert planned(production) == {}


def test_an_authority_is_made_anew_once_the_other_signs(production):
    engine = Pulumi(project=production.folder, stack="production")
    first, second = AUTHORITIES
    before = ids(production)
    engine.use("authority", second=True)
    used = ids(production)
    assert {name for name in AUTHORITIES if used[name] != before[name]} == set()
    assert used["database-certificates-db-node1"] != before["database-certificates-db-node1"]

    engine.renew(first, AT_ONCE["certificates"])

    after = ids(production)
    assert after[first] != before[first]
    assert after[second] == before[second]
    assert after["database-certificates-key-db-node1"] != used["database-certificates-key-db-node1"]
    assert planned(production) == {}


def ids(lab: Lab) -> dict[str, str]:
    """Return what the provider calls each resource."""
    return {r["urn"].rsplit("::", 1)[1]: str(r.get("id")) for r in state(lab)["resources"]}
