"""An emulated Proxmox VE, as far as the real provider calls it.

A STAND-IN: its VMs are records, nothing boots. It keeps what the provider sends, answers as
Proxmox VE does (tasks, errors, types) and so shows what the real provider would do.
"""
