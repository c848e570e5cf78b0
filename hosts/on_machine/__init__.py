"""Programs that run on the machines themselves, each a file of its own with nothing but Python."""
