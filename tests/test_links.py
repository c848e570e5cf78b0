"""What a page of the repository points to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
PAGES = sorted(
    page.relative_to(ROOT)
    for page in ROOT.rglob("*.md")
    if not any(part.startswith(".") for part in page.relative_to(ROOT).parts)
)


def links(text: str) -> list[str]:
    """Return the places in the repository that a page points to."""
    return [place for place in LINK.findall(text) if "://" not in place]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_leads_somewhere(page: Path):
    told = links((ROOT / page).read_text())

    assert not [place for place in told if not (ROOT / page.parent / place).exists()]


def test_a_link_is_found_and_those_to_other_sites_are_not():
    assert links("[a](b/c.md#d) ![e](f.svg) [g](https://example.org)") == ["b/c.md", "f.svg"]
    assert len(PAGES) > 20
