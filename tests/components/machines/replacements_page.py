"""``make generated`` writes ``docs/replacements.md``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from components.machines import replacements_hetzner, replacements_proxmox
from components.machines.replacements import Effect, Row

PAGE = Path(__file__).resolve().parents[3] / "docs" / "replacements.md"

HEAD = """\
# What an edit replaces

Generated from `components/machines/replacements_*.py` by
`make generated`. Tests prove it from the providers' schemas
and from every single edit of a stack file: what is not here replaces no machine and deletes no
disk. `preview` shows each replacement before it happens; with `protect_data` those of machines and
disks that hold data are refused.
"""

ABOUT = {
    Effect.REPLACED: "An edit of the setting replaces the resource.",
    Effect.REMOVED: "Without the setting the resource goes, unless data is protected.",
    Effect.KEPT: "An edit is for what is made later; what exists stays as it is.",
    Effect.FOLLOWS: "Replaced together with what it belongs to, never by an edit.",
    Effect.FIXED: "The provider would replace it, but no setting leads there.",
}


def page() -> str:
    """Return the list as a page."""
    return "\n".join(
        [
            HEAD,
            *_platform("Proxmox VE", replacements_proxmox.ROWS),
            *_platform("Hetzner Cloud", replacements_hetzner.ROWS),
        ]
    )


def _platform(name: str, rows: tuple[Row, ...]) -> Iterator[str]:
    yield f"## {name}\n"
    for effect, about in ABOUT.items():
        chosen = [row for row in rows if row.effect is effect]
        if chosen:
            yield f"### {effect.capitalize()}\n\n{about}\n"
            yield "| setting | resource, input | why | instead |\n| --- | --- | --- | --- |"
            yield from (_line(row) for row in chosen)
            yield ""


def _line(row: Row) -> str:
    settings = "<br>".join(f"`{path}`" for path in row.settings) or "none"
    noun = row.type.rpartition(":")[2] + (f" (`-{row.part}`)" if row.part else "")
    inputs = "".join(f"<br>`{path}`" for path in row.inputs)
    return f"| {settings} | {noun}{inputs} | {row.reason} | {row.instead} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
