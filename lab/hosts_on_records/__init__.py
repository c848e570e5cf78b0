"""STAND-IN for `pulumi_pyinfra` where machines are records: nobody is connected to."""
