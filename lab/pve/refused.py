"""What Proxmox VE answers instead of doing what it was asked."""

from __future__ import annotations

from collections.abc import Mapping


class Refused(Exception):  # noqa: N818 - it is an answer, not an accident
    """A 500 with a sentence; of a task, what it ends with."""


class WrongParametersError(Exception):
    """A 400 with a sentence for each parameter that is wrong."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("Parameter verification failed.")
        self.errors = dict(errors)
