"""What pods of the lab run, in its registry: the images of ours, each made of one program."""

from __future__ import annotations

from toolchain.cache import Cache

from .internet import Site
from .kubernetes import Image, Registry
from .machines import Network, Place
from .serve import Authority


def registry_of(place: Place) -> Registry:
    """Return the registry of a lab, which runs on when the lab's other services end."""
    return Registry(
        network=Network(place),
        address=Site.REGISTRY.value,
        program=Cache.of_this_user().root / "cluster" / "registry",
        authority=Authority(place.folder / "authority"),
    )


def served(place: Place) -> list[str]:
    """Have the registry serve all images, and return their names by digest."""
    registry = registry_of(place)
    registry.start()
    return [registry.push(image) for image in images()]


def images() -> list[Image]:
    """Return the images of the lab's own programs."""
    return []
