"""What the engine starts: ``python pulumi_pyinfra <engine's address>``."""

import sys
from pathlib import Path

# Run as a folder, this is no package; beside it, it is.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from pulumi_pyinfra.server import serve  # noqa: E402 - the line above finds it

if __name__ == "__main__":
    serve(sys.argv[1:])
