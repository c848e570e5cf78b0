"""README's picture is what the settings say."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from ops.picture import picture
from ops.stack_files import settings_of

DRAWN = Path(__file__).resolve().parent.parent / "docs" / "platform.svg"


def test_the_picture_in_readme_is_the_one_that_the_settings_draw():
    assert DRAWN.read_text() == picture(settings_of("testing")), "run `make generated`"


def test_the_picture_shows_every_machine_and_address():
    settings = settings_of("production")
    texts = " ".join(ElementTree.fromstring(picture(settings)).itertext())  # noqa: S314 - our own

    for name, machine in settings.machines.items():
        assert name in texts
        assert str(machine.address) in texts
    assert str(settings.network.application_address) in texts
    assert str(settings.network.database_address) in texts
