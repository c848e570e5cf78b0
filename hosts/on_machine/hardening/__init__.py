"""Whether a node of K3s is as CIS' benchmark and K3s' hardening guide want it."""
