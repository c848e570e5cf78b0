"""The program that ``wanted.json`` names, with a provider of its own."""

import importlib
import json
from pathlib import Path

import pulumi
import pulumi_kubernetes as k8s

told = json.loads(Path("wanted.json").read_text())
provider = k8s.Provider("cluster", **told["provider"])
opts = pulumi.ResourceOptions(provider=provider)
importlib.import_module(told["program"]).run(opts, **told["wanted"])
