"""Cloudflare and Hetzner Cloud as the lab has them: STAND-INS that keep records.

They are asked by the lab's own plugins (``lab/standins/internal/cloud``) in a small protocol of
its own, and answer besides what the fingerprint guard asks of the real APIs. A record may be more
than a record: what `Effects` make of it (a machine, a bucket). Begin with
`lab.clouds.cloudflare.cloudflare` and `lab.clouds.hetzner.hetzner`; ``api_of`` in the same modules
is what is served.
"""

from .cloud import Cloud, Effects
from .faults import Fault, Faults
from .records import Record, Records, Refused

__all__ = ["Cloud", "Effects", "Fault", "Faults", "Record", "Records", "Refused"]
