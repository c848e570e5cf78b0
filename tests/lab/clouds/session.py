"""A request's way through the lab's edge, recorded: what curl is told at each step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from lab.clouds import Records
from lab.clouds.cloudflare import cloudflare

from .edge import HOST, URL, Edge, an_edge, an_origin
from .project import DOMAIN
from .test_access import STAFF, allow, protect


def session() -> str:
    """Return the recording."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        flare = cloudflare(Records(folder / "cloudflare.json"), domain=DOMAIN)
        with an_origin() as origin, an_edge(flare, folder) as edge:
            return "\n".join(_steps(edge, origin, folder / "jar"))


def _steps(edge: Edge, origin: str, jar: Path) -> Iterator[str]:
    yield f"The zone {DOMAIN} has a record {HOST} that points at a tunnel. STAND-INS: Cloudflare's"
    yield "API, its edge and the connector are the lab's own; curl and the service are real."
    edge.route({"hostname": HOST, "service": origin})
    yield from _asked(edge, "no connector is there", f"{URL}/page")
    edge.connect()
    yield from _asked(edge, "a connector has dialled the edge", f"{URL}/page")
    protect(edge, allow(STAFF))
    yield from _asked(edge, "an access application stands before the host", f"{URL}/page")
    login = edge.curl(f"{URL}/page", "--cookie-jar", str(jar)).location
    cookies = ("--cookie", str(jar), "--cookie-jar", str(jar))
    stranger = ("--data-urlencode", "email=me@elsewhere.org")
    yield from _asked(edge, "a stranger logs in", login, *cookies, *stranger)
    someone = ("--data-urlencode", "email=anna@example.com")
    yield from _asked(edge, "one of the staff logs in", login, *cookies, *someone)
    yield from _asked(edge, "the page, as one of the staff", f"{URL}/page", *cookies)


def _asked(edge: Edge, state: str, url: str, *options: str) -> Iterator[str]:
    answer = edge.curl(url, *options)
    words = [word for word in options if word.startswith("email=")]
    yield f"\n# {state}"
    yield f"$ curl {' '.join([*(f'--data {word}' for word in words), url.partition('?')[0]])}"
    told = answer.body.strip().splitlines()
    where = f" -> {answer.location.partition('?')[0]}" if answer.location else ""
    yield f"{answer.status}{where}"
    if "path" in answer.body:
        yield from (line[:150] for line in told)
