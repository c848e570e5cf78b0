"""A provider with a setting that there is not."""

import pulumi


def run(_opts: pulumi.ResourceOptions) -> None:
    """Declare it."""
    pulumi.ProviderResource("kubernetes", "odd", {"kubekonfig": "none"})
