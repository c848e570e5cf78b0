"""Nothing: what the engine itself takes."""

import pulumi

pulumi.export("nothing", 0)
