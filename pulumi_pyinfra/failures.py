"""How a deploy may end badly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pulumi.provider.experimental.property_value import PropertyValue


class DeployFailedError(Exception):
    """Nothing was reached that the state would have to know."""


class PartlyDoneError(DeployFailedError):
    """Some hosts are what is wanted, some are not; the next update goes on from here."""

    def __init__(
        self,
        resource_id: str,
        properties: Mapping[str, PropertyValue],
        inputs: Mapping[str, PropertyValue],
        reasons: Sequence[str],
    ) -> None:
        super().__init__("; ".join(reasons))
        self.resource_id = resource_id
        self.properties = dict(properties)
        self.inputs = dict(inputs)
        self.reasons = list(reasons)
