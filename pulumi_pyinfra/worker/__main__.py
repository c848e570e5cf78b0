"""``python -m pulumi_pyinfra.worker``: a request on stdin, events on stdout."""

from gevent import monkey

# Before anything else takes hold of a socket or a lock.
monkey.patch_all()

import sys  # noqa: E402

from .main import main  # noqa: E402 - pyinfra must be imported after the patch

if __name__ == "__main__":
    sys.exit(main())
