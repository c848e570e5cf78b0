"""What the platform is made of: Pulumi components and the settings that shape them."""
