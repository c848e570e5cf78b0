"""Backups that are proven, on the machine: ``database-proof PROGRAM`` runs a module of these."""
