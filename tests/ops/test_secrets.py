"""``make secrets`` on the real engine: what it asks, what it keeps, what it never shows."""

from __future__ import annotations

import os
from dataclasses import astuple

import pytest
import yaml

from lab.clouds.cloudflare import ACCOUNT_ID, ZONE_ID
from lab.on_records import running
from ops.secrets import Person, set_up
from ops.stack_files import StackFile

pytestmark = pytest.mark.engine


@pytest.fixture
def unset(tmp_path, monkeypatch):
    """A lab whose stack file is as the repository has it: nothing pinned, no secret."""
    with running("testing", tmp_path) as lab:
        for name, value in lab.variables.items():
            monkeypatch.setenv(name, value)
        document = yaml.safe_load(lab.stack_file.read_text())
        for name in ("proxmox_api_token", "cloudflare_api_token", "proxmox_fencing_token"):
            del document["config"][f"coldstorage:{name}"]
        document["config"]["coldstorage:proxmox"]["fingerprint"] = "unpinned"
        document["config"]["coldstorage:cloudflare"] |= {
            "account_id": "unpinned",
            "zone_id": "unpinned",
        }
        lab.stack_file.write_text("# a person's words\n" + yaml.safe_dump(document))
        yield lab


def answer(lab, *, agrees: bool) -> list[str]:
    """Go through the questions with the lab's tokens, and return what the person heard."""
    heard: list[str] = []
    tokens = iter(astuple(lab.credentials))
    person = Person(secret=lambda _: next(tokens), agrees=lambda _: agrees, hears=heard.append)
    set_up(StackFile(project=lab.folder, stack=lab.stack), person)
    return heard


def test_a_stack_that_was_set_up_passes_the_guard(unset):
    refused = unset.pulumi("preview", check=False)
    answer(unset, agrees=True)

    assert refused.returncode != 0
    assert "coldstorage:proxmox_api_token: is missing" in refused.stdout + refused.stderr
    assert unset.pulumi("preview").returncode == 0
    assert unset.section("cloudflare")["account_id"] == ACCOUNT_ID
    assert unset.section("cloudflare")["zone_id"] == ZONE_ID


def test_tokens_are_encrypted_and_never_shown(unset):
    heard = " ".join(answer(unset, agrees=True))
    written = unset.stack_file.read_text()

    assert not [t for t in astuple(unset.credentials) if t in written or t in heard]
    assert written.count("secure: v1:") == len(astuple(unset.credentials))
    assert "# a person's words" in written


def test_nothing_is_pinned_that_a_person_did_not_confirm(unset):
    heard = " ".join(answer(unset, agrees=False))

    assert unset.section("proxmox")["fingerprint"] == "unpinned"
    assert unset.section("cloudflare")["zone_id"] == "unpinned"
    assert "pvenode cert info" in heard


def test_no_token_is_among_the_arguments_of_a_process(unset, monkeypatch, tmp_path):
    log = tmp_path / "arguments"
    spy = tmp_path / "bin" / "pulumi"
    spy.parent.mkdir()
    spy.write_text(f'#!/bin/sh\necho "$@" >> {log}\nPATH="$REAL_PATH" exec pulumi "$@"\n')
    spy.chmod(0o755)
    monkeypatch.setenv("REAL_PATH", os.environ["PATH"])
    monkeypatch.setenv("PATH", f"{spy.parent}{os.pathsep}{os.environ['PATH']}")

    answer(unset, agrees=True)

    assert "config set --secret proxmox_api_token" in log.read_text()
    assert not [t for t in astuple(unset.credentials) if t in log.read_text()]
