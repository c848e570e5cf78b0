"""The archives that a tool's makers publish; nothing of them is used unverified."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .cache import Cache, sha256
from .network import Network
from .sources import Say
from .tool import WHOLE, Download, SourceError, Tool, architecture, operating_system


@dataclass(frozen=True, slots=True)
class Official:
    """Downloads a release, checks it against its pin or the release's own list, unpacks it."""

    cache: Cache
    network: Network
    name: str = "official"

    def offers(self, tool: Tool) -> bool:
        """Tell whether the tool is published as an archive."""
        return tool.download is not None

    def recipe(self, tool: Tool) -> str:
        """Return the address and the pins."""
        return repr(tool.download)

    def obtain(self, tool: Tool, staging: Path, say: Say) -> Mapping[str, Path]:
        """Return the archive's members, unpacked."""
        download = tool.download
        if download is None:
            raise SourceError("not published")
        url = _filled(download.url, download, tool.version)
        expected = self._expected(url, download, tool.version)
        archive = staging / "archive"
        say(f"downloading {url}")
        self.network.file(url, archive)
        found = sha256(archive)
        if found != expected:
            raise SourceError(f"{url}: sha256 is {found}, expected {expected}; thrown away")
        self._remember(url, found)
        return _unpacked(archive, download.members, staging)

    def _expected(self, url: str, download: Download, version: str) -> str:
        """Return the digest that the archive must have."""
        pin = download.sha256.get(f"{operating_system()}-{architecture()}")
        if pin:
            return pin
        if not download.checksums:
            raise SourceError(f"no pin for {operating_system()}-{architecture()}")
        address, file_name = _filled(download.checksums, download, version), url.rsplit("/", 1)[1]
        listed = re.search(
            rf"^([0-9a-f]{{64}})[ *]+{re.escape(file_name)}$", self.network.text(address), re.M
        )
        if not listed:
            raise SourceError(f"{address} does not name {file_name}")
        first = self._first_uses().get(url, listed[1])
        if first != listed[1]:
            raise SourceError(
                f"{address} says {listed[1]} for {file_name}, but it was {first} at first use: "
                "a release does not change, find out why"
            )
        return listed[1]

    def _first_uses(self) -> dict[str, str]:
        try:
            uses: dict[str, str] = json.loads((self.cache.root / "first-use.json").read_text())
        except FileNotFoundError:
            return {}
        return uses

    def _remember(self, url: str, digest: str) -> None:
        path = self.cache.root / "first-use.json"
        self.cache.write(path, {url: digest} | self._first_uses())


def _filled(template: str, download: Download, version: str) -> str:
    arch = architecture()
    return template.format(
        version=version,
        os=operating_system(),
        arch=download.architectures.get(arch, arch),
    )


def _unpacked(archive: Path, members: Mapping[str, str], staging: Path) -> Mapping[str, Path]:
    """Write the wanted members under names of ours, so that no path in an archive is believed."""
    if WHOLE in members:
        return {members[WHOLE]: archive}
    files = {}
    try:
        with tarfile.open(archive) as tar:
            for number, (member, place) in enumerate(members.items()):
                content = tar.extractfile(member)
                if content is None:
                    raise SourceError(f"the archive's {member} is no file")
                path = staging / f"member-{number}"
                path.write_bytes(content.read())
                files[place] = path
    except (tarfile.TarError, KeyError) as error:
        raise SourceError(f"the archive cannot be unpacked: {error}") from error
    return files
