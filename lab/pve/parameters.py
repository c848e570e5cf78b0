"""What each call takes, as far as the provider calls it; the rest is refused in Proxmox's words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .refused import WrongParametersError

INTEGER = r"-?\d+"
BOOLEAN = r"[01]|on|off|yes|no|true|false"
TEXT = r"(?s).*"
SNAPSHOT = r"[A-Za-z][A-Za-z0-9_-]{1,39}"
SIZE = r"\+?\d+(\.\d+)?[KMGT]?"
DRIVE = r"(scsi([0-9]|[12]\d|30)|virtio(\d|1[0-5])|sata[0-5]|ide[0-3]|efidisk0|tpmstate0)"
_WORDS = {INTEGER: "type check ('integer') failed - got '{}'",
          BOOLEAN: "type check ('boolean') failed - got '{}'"}  # fmt: skip
_IN_PATH = ("node", "storage", "vmid")
"""The provider says some of them in the form too, and every call takes its own."""
_MISMATCH = "value does not match the regex pattern"
_MISSING = "property is missing and it is not optional"
_UNKNOWN = "property is not defined in schema and the schema does not allow additional properties"


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a call takes: patterns of values by patterns of names."""

    kinds: Mapping[str, str]
    required: tuple[str, ...] = ()

    def check(self, form: Mapping[str, str]) -> None:
        """Refuse what is missing, unknown or malformed, all at once."""
        errors = dict(self._errors(form))
        if errors:
            raise WrongParametersError(errors)

    def _errors(self, form: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        for name in self.required:
            if name not in form:
                yield name, _MISSING
        for name, value in form.items():
            kind = next((k for known, k in self.kinds.items() if re.fullmatch(known, name)), None)
            if kind is None and name in _IN_PATH:
                continue
            if kind is None:
                yield name, _UNKNOWN
            elif not re.fullmatch(kind, value):
                yield name, _WORDS.get(kind, _MISMATCH).format(value)


CONFIG = {
    "cores|sockets|vcpus|balloon|shares|cpuunits|migrate_speed": INTEGER,
    "memory": r"\d+|current=\d+",
    "acpi|autostart|ciupgrade|freeze|kvm|localtime|numa|onboot|protection|reboot|tablet|tdf"
    "|template": BOOLEAN,
    f"{DRIVE}|unused\\d+": TEXT,
    r"(net|ipconfig|serial|usb|hostpci|parallel|numa|virtiofs|audio)\d+": TEXT,
    "affinity|agent|amd-sev|arch|args|bios|boot|bootdisk|cdrom|cicustom|cipassword|citype|ciuser"
    "|cpu|cpulimit|description|hookscript|hotplug|hugepages|ivshmem|keephugepages|keyboard|lock"
    "|machine|name|nameserver|ostype|rng0|scsihw|searchdomain|smbios1|spice_enhancements|sshkeys"
    "|startdate|startup|tags|vga|vmgenid|vmstatestorage|watchdog": TEXT,
}
CREATE = Parameters(
    {
        "vmid": r"[1-9]\d{2,8}",
        "start|force|unique|live-restore|ha-managed": BOOLEAN,
        "pool|storage|archive|bwlimit|import-working-storage": TEXT,
        **CONFIG,
    },
    required=("vmid",),
)
CHANGE = Parameters(
    {"delete|digest|revert": TEXT, "skiplock|force": BOOLEAN, "background_delay": INTEGER, **CONFIG}
)
RESIZE = Parameters(
    {"disk": DRIVE, "size": SIZE, "digest": TEXT, "skiplock": BOOLEAN}, required=("disk", "size")
)
DESTROY = Parameters({"purge|destroy-unreferenced-disks|skiplock": BOOLEAN})
SNAPSHOT_CREATE = Parameters(
    {"snapname": SNAPSHOT, "description": TEXT, "vmstate": BOOLEAN}, required=("snapname",)
)
ROLLBACK = Parameters({"start": BOOLEAN})
DELETE_SNAPSHOT = Parameters({"force": BOOLEAN})
POWER = {
    "start": Parameters({
        "timeout": INTEGER, "skiplock": BOOLEAN,
        "force-cpu|machine|migratedfrom|migration_network|migration_type|stateuri|targetstorage":
        TEXT,
    }),
    "stop": Parameters({
        "timeout": INTEGER, "skiplock|keepActive|overrule-shutdown": BOOLEAN, "migratedfrom": TEXT,
    }),
    "shutdown": Parameters({"timeout": INTEGER, "forceStop|skiplock|keepActive": BOOLEAN}),
    "reboot": Parameters({"timeout": INTEGER}),
    "reset": Parameters({"skiplock": BOOLEAN}),
    "suspend": Parameters({"skiplock|todisk": BOOLEAN, "statestorage": TEXT}),
    "resume": Parameters({"nocheck|skiplock": BOOLEAN}),
}  # fmt: skip
DOWNLOAD = Parameters(
    {
        "content": "iso|vztmpl|import",
        "filename|url|checksum": r".+",
        "checksum-algorithm": "md5|sha1|sha224|sha256|sha384|sha512",
        "compression": TEXT,
        "verify-certificates": BOOLEAN,
    },
    required=("content", "filename", "url"),
)
POOL = Parameters({"poolid|comment": TEXT}, required=("poolid",))
