"""What is done to the hosts, written once for each tool, with equal result."""
