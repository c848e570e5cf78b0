"""The witness: has a silent leader powered off, sees it off, and only then ends its leadership."""
