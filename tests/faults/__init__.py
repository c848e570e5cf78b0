"""What the database tier does under faults, as a page that nobody writes by hand."""
