"""A pyinfra deploy as a Pulumi resource: what is inside a host becomes part of the plan."""

from .deploy import Deploy, DeployArgs, Host, Rollout, Ssh

__all__ = ["Deploy", "DeployArgs", "Host", "Rollout", "Ssh"]
