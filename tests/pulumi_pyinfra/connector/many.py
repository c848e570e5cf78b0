"""Connects to many hosts in a process like the worker's, and prints how it went, as JSON.

``python -m tests.pulumi_pyinfra.connector.many`` with the targets on standard input.
"""

from gevent import monkey

monkey.patch_all()

# pyinfra must be imported after the patch.
import json  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402

from pyinfra.api.connect import connect_all, disconnect_all  # noqa: E402

from pulumi_pyinfra.connector import SshTarget  # noqa: E402

from .hosts import hosts  # noqa: E402

targets = {str(n): SshTarget(**given) for n, given in enumerate(json.load(sys.stdin))}
several = hosts(targets)
state = several[0].state
began = time.monotonic()
connect_all(state)
seconds = time.monotonic() - began
sys.stdout.write(json.dumps({"seconds": seconds, "connected": [h.connected for h in several]}))
disconnect_all(state)
