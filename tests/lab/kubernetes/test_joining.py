"""Who may join: the cluster's token, the very cluster that it is of, and options that exist."""

from __future__ import annotations

import subprocess

import pytest

from lab.kubernetes import Distribution

pytestmark = [pytest.mark.machines, pytest.mark.cluster]
ANOTHER = "K10" + "0" * 64 + "::server:wrong"


def refused(program: str, *words: str) -> str:
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    assert done.returncode
    return done.stderr


def test_an_unknown_option_is_named_and_so_is_what_was_meant(release: Distribution, tmp_path):
    (tmp_path / "config.yaml").write_text("tls-sans: [a]\ncluster-init: true\n")
    program, config = str(release.program), f"--config={tmp_path / 'config.yaml'}"

    said = refused(program, "server", config, "--no-such-thing", f"--data-dir={tmp_path}")

    assert "option tls-sans: not known" in said
    assert "it knows tls-san" in said
    assert "option no-such-thing: not known" in said


def test_help_says_that_it_is_a_stand_in(release: Distribution):
    said = subprocess.run([release.program, "help"], capture_output=True, text=True, check=True)

    assert "STAND-IN" in said.stdout
