"""Property values of the engine as plain data."""

from __future__ import annotations

from pulumi.provider.experimental.property_value import PropertyValue

from pulumi_pyinfra.values import plain


def members(*names: str) -> PropertyValue:
    return PropertyValue({name: PropertyValue({"priority": PropertyValue(1.0)}) for name in names})


def test_keys_come_in_one_order_whatever_the_wire_makes_of_it():
    told = plain(PropertyValue([members("c", "a", "b")]))

    assert list(told[0]) == ["a", "b", "c"]
    assert (
        told
        == plain(PropertyValue([members("b", "c", "a")]))
        == [{key: {"priority": 1} for key in "abc"}]
    )
