"""The platform, as a table of contents."""

import pulumi

from components import guard, settings, summary
from components.application_of_stack import application_of, load_balancer_of
from components.certificates_of_stack import certificates_of, ingress_of
from components.cloudflare import backup_bucket_of, dns_token_of, way_in_of
from components.cluster_authority import ClusterAuthority, ClusterAuthorityArgs
from components.connector_of_stack import connector_of
from components.database_of_stack import connection_of, database_of
from components.generated_secrets import GeneratedSecrets
from components.k3s_of_stack import inside_of, k3s_of, kubeconfig_of
from components.machines import machines_of
from components.monitoring import monitoring_of
from components.own_namespaces import own_namespaces_of
from components.providers import providers
from components.tokens import Tokens

config = pulumi.Config()
wanted = settings.load()
tokens = Tokens.of_this_run()
guard.check(wanted, tokens)

made_with = providers(wanted, config)
# Without these nobody reads the backups or joins the cluster: they go when data may go.
kept = pulumi.ResourceOptions(providers=made_with, protect=wanted.environment.protect_data or None)

generated = GeneratedSecrets("secrets", kept)
authority = ClusterAuthority(
    "k3s", ClusterAuthorityArgs(cluster=wanted.stack, api_address=wanted.api_address), kept
)
machines = machines_of(wanted, tokens, pulumi.ResourceOptions(providers=made_with))
backups = backup_bucket_of(wanted, kept)
database = database_of(
    wanted,
    machines,
    generated,
    backups,
    pulumi.ResourceOptions(providers=made_with),
    fencing_token=config.get_secret("proxmox_fencing_token"),
)
way_in = way_in_of(wanted, generated, pulumi.ResourceOptions(providers=made_with))
cluster = k3s_of(
    wanted, machines, authority, generated, pulumi.ResourceOptions(providers=made_with)
)
inside = inside_of(wanted, cluster)
own_namespaces_of(inside)
balancer = load_balancer_of(wanted, inside)
application = application_of(wanted, inside, database, balancer, config)
zone_token = dns_token_of(wanted, pulumi.ResourceOptions(providers=made_with))
certificates_of(wanted, inside, application, zone_token)
ingress_of(wanted, inside, application, balancer)
connector = connector_of(wanted, way_in, inside)
monitoring_of(
    wanted,
    inside,
    database,
    connector,
    config,
    opts=pulumi.ResourceOptions(providers=made_with),
)

pulumi.export("addresses", machines.addresses)
pulumi.export("virtual_addresses", summary.virtual_addresses(wanted))
pulumi.export("urls", summary.urls(wanted))
pulumi.export("kubeconfig", kubeconfig_of(cluster, authority))
pulumi.export("database", connection_of(database))
pulumi.export("dump_keys", generated.dump_openers)
pulumi.export("summary", summary.text(wanted))
