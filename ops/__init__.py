"""What people do to a platform by hand, as commands."""
