"""The platform on one machine: what the product runs against when no real iron is at hand."""
