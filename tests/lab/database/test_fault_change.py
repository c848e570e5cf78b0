"""F25: the deploy itself brings the fault: it ends at the first machine that is not well."""

from __future__ import annotations

import pytest

from .case import Case, Fault
from .tier import failed


@Fault(
    number="F25",
    what="A wrong password of replication is rolled out",
    how="on a standby, by the deploy; then the right one again",
    within=5,
    moves=False,
    quick=True,
)
def test_a_wrong_password_ends_at_the_first_machine(case: Case):
    with case.running():
        canary = case.others[0].name
        right = case.tier.secret["replication"]
        case.tier.secret["replication"] = {**right, "first": "wrong-word-0123456789"}
        try:
            with pytest.raises(AssertionError, match="replicator"):
                case.tier.apply(canary)
            assert failed(case.tier.ask(case.tier.request("probe", "healthy", canary)))
        finally:
            case.tier.secret["replication"] = right
        case.tier.apply(canary)
        assert not failed(case.tier.ask(case.tier.request("probe", "healthy", canary)))
        case.wait_until_writes_are_back()
    case.check()
