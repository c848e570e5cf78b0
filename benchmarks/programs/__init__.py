"""Pulumi programs; each is copied into a project of its own as ``__main__.py``."""
