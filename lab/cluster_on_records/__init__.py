"""STAND-IN for the kubernetes plugin where machines are records: there is no cluster."""
