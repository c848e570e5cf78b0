"""Deploys of the program."""
