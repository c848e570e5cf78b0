"""What runs inside machines: one service a file, a contract of what is wanted and a deploy.

Imports pyinfra and never Pulumi; components fill in the contracts. ``on_machine/`` holds the small
programs that the deploys put on the machines, ``templates/`` the text of configuration files.
"""
