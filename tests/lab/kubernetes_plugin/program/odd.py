"""A provider with a setting that there is not."""

import pulumi


class Odd(pulumi.ProviderResource):
    """The kubernetes provider with a misspelt setting."""

    def __init__(self) -> None:
        super().__init__("kubernetes", "odd", {"kubekonfig": "none"})


def run(opts: pulumi.ResourceOptions, *, known: bool = False, objects: list | None = None) -> None:
    """Declare it, unless the provider of ``opts`` is itself the odd one."""
    if not known:
        Odd()
