"""What pods of the lab run, in its registry: the images of ours, each made of one program."""

from __future__ import annotations

from pathlib import Path

from toolchain.cache import Cache

from .checkout import STACKS
from .internet import Site
from .kubernetes import Image, Registry
from .kubernetes.images import Layout
from .machines import Network, Place
from .serve import Authority
from .stack import stack_file_of


def registry_of(place: Place) -> Registry:
    """Return the registry of a lab, which runs on when the lab's other services end."""
    return Registry(
        network=Network(place),
        address=Site.REGISTRY.value,
        program=_program("registry"),
        authority=Authority(place.folder / "authority"),
    )


def served(place: Place) -> list[str]:
    """Have the registry serve all images, and return their names by digest."""
    registry = registry_of(place)
    registry.start()
    return [registry.push(image) for image in images()]


def images() -> list[Image]:
    """Return the images of the lab's own programs."""
    return [application()]


def application() -> Image:
    """Return the lab's own application, under the name that the company's has."""
    return Image(
        name=stack_file_of(STACKS[0])["config"]["coldstorage:application"]["image"],
        files={"cold-backend": _program("cold-backend")},
        entrypoint=("/cold-backend",),
        user="65532",
    )


def digest() -> str:
    """Return the digest of the application's image."""
    return Layout().add(application()).removeprefix("sha256:")


def there() -> bool:
    """Tell whether they can be made; a lab whose hosts are records needs none."""
    return _program("cold-backend").exists()


def _program(name: str) -> Path:
    return Cache.of_this_user().root / "cluster" / name
