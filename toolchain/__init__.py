"""Obtains every tool that the project runs on; `python3 -m toolchain` is all there is to call.

It runs before anything is installed, so it uses the standard library only.
"""
