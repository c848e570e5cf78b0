"""An emulated Proxmox VE, as far as the real provider calls it.

A STAND-IN: it keeps what the provider sends, answers as Proxmox VE does (tasks, locks, errors,
types) and so shows what the real provider would do. Its VMs are records, or, with
:class:`lab.pve.machines.Machines`, real Debian systems of the lab.
"""
