"""Draw the platform of a stack as SVG, from its settings: ``make generated``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from components.sections import Role
from components.settings import Settings
from ops.stack_files import settings_of

WIDTH, BOX_WIDTH, BOX_HEIGHT, LEFT = 960, 264, 62, 66
STYLE = """
  text { font-family: system-ui, sans-serif; font-size: 13px; fill: #1f2933 }
  .name { font-weight: 600 } .small { font-size: 11.5px; fill: #52606d }
  .box { fill: #ffffff; stroke: #9aa5b1; rx: 8 } .group { fill: #f5f7fa; stroke: #cbd2d9; rx: 12 }
  .address { fill: #e3f8ff; stroke: #2bb0ed; rx: 14 }
  line { stroke: #7b8794; stroke-width: 1.5; marker-end: url(#arrow) }
"""
ARROW = (
    '<marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#7b8794"/></marker>'
)


def picture(settings: Settings) -> str:
    """Return the drawing, top to bottom in the order in which a request travels."""
    application, database = settings.application, settings.database
    portals = f"{application.employee.hostname} · {application.customer.hostname}"
    body = [
        *_wide(20, "Browsers", portals),
        *_arrow(82, 106),
        *_wide(
            106, "Cloudflare", f"DNS · access policy · tunnel {settings.cloudflare.tunnel.name}"
        ),
        *_arrow(168, 204),
        *_group(204, 190, f"K3s {settings.kubernetes.version}"),
        *_address(240, f"application {settings.network.application_address}"),
        *_row(settings, (Role.K3S_SERVER, Role.K3S_AGENT), 284),
        *_line(
            360,
            f"{settings.cloudflare.tunnel.connectors} x cloudflared, "
            f"{application.replicas} x {application.image} for each portal",
        ),
        *_arrow(394, 430),
    ]
    if database is not None:
        body += [
            *_group(430, 190, f"PostgreSQL {database.version} · Patroni · etcd · Redis"),
            *_address(466, f"database {settings.network.database_address}:{database.port}"),
            *_row(settings, (Role.DATABASE,), 510),
            *_line(590, "the address follows the primary; a commit is on two machines"),
            *_arrow(620, 656),
            *_wide(656, "Cloudflare R2", _kept(settings)),
        ]
    return _document(body, 738 if database is not None else 416)


def _kept(settings: Settings) -> str:
    backups = settings.backups
    return (
        f"{backups.bucket}: full {backups.full_at:%H:%M}, "
        f"every {backups.incremental_every_hours} h, {backups.retention_days} days, "
        f"restored every {backups.drill_interval_days} days"
    )


def _document(body: Sequence[str], height: int) -> str:
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<style>{STYLE}</style>",
        f"<defs>{ARROW}</defs>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        *body,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _row(settings: Settings, roles: Sequence[Role], y: int) -> Iterator[str]:
    machines = [(n, m) for n, m in settings.machines.items() if m.role in roles]
    for number, (name, machine) in enumerate(machines):
        size = machine.proxmox or machine.hetzner
        x = LEFT + 12 + (number % 3) * (BOX_WIDTH + 12)
        yield from _box(
            x,
            y + number // 3 * (BOX_HEIGHT + 10),
            BOX_WIDTH - 8,
            name,
            f"{machine.address} · {_size(size.model_dump()) if size else ''}",
        )


def _size(size: Mapping[str, object]) -> str:
    if "memory_gib" not in size:
        return str(size["server_type"])
    return f"{size['cores']} cores · {size['memory_gib']} GB · {size['disk_gib']} GB"


def _wide(y: int, name: str, text: str) -> Iterator[str]:
    yield from _box(LEFT + 100, y, WIDTH - 2 * LEFT - 200, name, text)


def _box(x: int, y: int, width: int, name: str, text: str) -> Iterator[str]:
    yield f'<rect class="box" x="{x}" y="{y}" width="{width}" height="{BOX_HEIGHT}"/>'
    yield _text(x + width // 2, y + 26, name, "name")
    yield _text(x + width // 2, y + 46, text, "small")


def _group(y: int, height: int, name: str) -> Iterator[str]:
    width = WIDTH - 2 * LEFT
    yield f'<rect class="group" x="{LEFT}" y="{y}" width="{width}" height="{height}"/>'
    yield _text(WIDTH // 2, y + 24, name, "name")


def _address(y: int, text: str) -> Iterator[str]:
    yield f'<rect class="address" x="{WIDTH // 2 - 130}" y="{y}" width="260" height="28"/>'
    yield _text(WIDTH // 2, y + 19, text)


def _line(y: int, text: str) -> Iterator[str]:
    yield _text(WIDTH // 2, y + 14, text, "small")


def _arrow(y: int, end: int) -> Iterator[str]:
    yield f'<line x1="{WIDTH // 2}" y1="{y}" x2="{WIDTH // 2}" y2="{end}"/>'


def _text(x: int, y: int, text: str, kind: str = "") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="middle">{escape(text)}</text>'


def main() -> None:
    """Draw testing; production has the same shape."""
    print(picture(settings_of("testing")), end="")


if __name__ == "__main__":
    main()
