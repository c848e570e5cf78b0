"""K3s itself, where the toolchain could download it: the lab's cluster is then no stand-in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from toolchain.cache import Cache
from toolchain.cluster import K3S, K3S_FILES, REAL_K3S

from .distribution import Distribution


@dataclass(frozen=True, kw_only=True, slots=True)
class RealK3s:
    """The release that the stack files name."""

    tools: Cache = field(default_factory=Cache.of_this_user)
    version: str = f"v{K3S}"
    title: str = "K3s"

    @property
    def there(self) -> bool:
        """Tell whether all of it was downloaded and proven."""
        return all(
            (stamp := self.tools.stamp(tool.name)) and stamp.files and self.tools.intact(stamp)
            for tool in REAL_K3S
        )

    def obtain(self) -> Path:
        """Return its folder."""
        return self.tools.root / "real-k3s"

    def settings(self) -> dict[str, object]:
        """Return what a stack file says of it (``coldstorage:kubernetes``)."""
        stamps = [self.tools.stamp(tool.name) for tool in REAL_K3S]
        digests = [digest for stamp in stamps if stamp for _, _, digest in stamp.files.values()]
        return {
            "version": self.version,
            "mirror": str(self.obtain()),
            "sha256": dict(zip(K3S_FILES, digests, strict=True)),
        }


def release(tools: Cache | None = None) -> RealK3s | Distribution:
    """Return what the machines of a lab become nodes with."""
    tools = tools or Cache.of_this_user()
    real = RealK3s(tools=tools)
    return real if real.there else Distribution(tools=tools)
