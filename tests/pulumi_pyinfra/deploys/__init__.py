"""Deploys for the tests of the provider."""
