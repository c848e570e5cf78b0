"""Files that others publish beside their Go modules, held to the checksums of our go.sum."""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from pathlib import Path

from components.settings import PROJECT as ROOT


@cache
def file_of(folder: str, module: str, path: str) -> Path:
    """Return a file of a module that a module of ours requires; go fetches it where it is not."""
    done = subprocess.run(
        ["go", "mod", "download", "-json", module],
        cwd=ROOT / "toolchain" / "modules" / folder,
        env=os.environ | {"GOFLAGS": "-mod=readonly", "GOWORK": "off"},
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(json.loads(done.stdout)["Dir"], path)
