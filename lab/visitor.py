"""``lab curl``: ask for a page through the edge, as a stranger or as somebody who logs in first.

Real curl, and names that are looked up as a visitor's are; the login is the lab's own, which
believes whatever address is given. Who may pass is decided by the policies that the program made.
"""

from __future__ import annotations

import http.client
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from .checkout import place_of
from .internet import Site
from .machines import Network, Place


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What curl was told."""

    status: int
    location: str
    body: str = field(repr=False)

    def __str__(self) -> str:
        """Return it for people: the status, where to go instead, and what the page says."""
        where = f" -> {self.location}" if self.location else ""
        return f"{self.status}{where}\n{self.body.strip()}".strip()


@dataclass(frozen=True, kw_only=True, slots=True)
class Visitor:
    """Somebody with a browser's memory for cookies."""

    place: Place
    """Whose network the visitor is in."""
    cookies: Path

    def ask(self, url: str, *options: str) -> Answer:
        """Ask for a page."""
        edge = f"::{Site.EDGE.address}:443"
        command = Network(self.place).command(
            "curl", "--silent", "--show-error", "--max-time", "20", "--connect-to", edge,
            "--cacert", str(self.place.folder / "authority" / "ca.pem"),
            "--cookie", str(self.cookies), "--cookie-jar", str(self.cookies),
            "--write-out", "\n%{http_code} %{redirect_url}", *options, url,
        )  # fmt: skip
        done = subprocess.run(command, text=True, capture_output=True, check=False)
        if done.returncode:
            raise TimeoutError(f"{url}: {done.stderr.strip()}")
        body, _, last = done.stdout.rpartition("\n")
        status, _, location = last.partition(" ")
        return Answer(status=int(status), location=location, body=body)

    def log_in(self, url: str, email: str) -> Answer:
        """Go where a page sends strangers, and say who one is."""
        login = self.ask(url)
        if "/cdn-cgi/access/login/" not in login.location:
            return login
        return self.ask(login.location, "--data-urlencode", f"email={email}")


def visit(stack: str, url: str, email: str | None) -> int:
    """Print what is said at each step; return 0 if the page was shown."""
    with TemporaryDirectory() as folder:
        visitor = Visitor(place=place_of(stack), cookies=Path(folder) / "cookies")
        if email:
            print(f"# {email} logs in\n{visitor.log_in(url, email)}\n")
        answer = visitor.ask(url)
        print(f"# {email or 'a stranger'} asks for {url}\n{answer}")
    return 0 if answer.status == http.client.OK else 1
