"""What the engine starts: ``python lab/cluster_on_records <engine's address>``."""

import sys
from importlib.metadata import version
from pathlib import Path

# Run as a folder, this is no package; from the checkout, it is.
sys.path[0] = str(Path(__file__).resolve().parent.parent.parent)

from lab.cluster_on_records.records import ClusterOnRecords  # noqa: E402 - the line above finds it
from pulumi_pyinfra.server import serve  # noqa: E402 - and this

if __name__ == "__main__":
    told = version("pulumi_kubernetes")
    serve(sys.argv[1:], ClusterOnRecords, told)  # type: ignore[arg-type]  # a provider as any
