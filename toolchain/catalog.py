"""Every tool, its version and where it comes from: the one table to edit.

The plugins' versions are those that the locked Python packages ask for (their pulumi-plugin.json).
The pins of the pulumi archives are those that other projects published for this release. No pins
of the plugins' archives could be found; `tool.Download` says how those are checked instead.
"""

from collections.abc import Callable

from .tool import Download, GoBuild, OnPath, Tool

PULUMI = "3.253.0"
OF_THE_LAB = "0.1.0"

# One archive has the command and the language host; each tool takes its own files from it.
PULUMI_URL = (
    "https://github.com/pulumi/pulumi/releases/download/v{version}/"
    "pulumi-v{version}-{os}-{arch}.tar.gz"
)
PULUMI_PINS = {
    "linux-amd64": "33161e521280e6c77395a46344dba5ff9c118a90df254801e662087143b4d1ac",
    "linux-arm64": "7d7074d67a76139226c163b2365f14fbd45d8e2251362a2e10dc4602b3b577ea",
}
PULUMI_CHECKSUMS = (
    "https://github.com/pulumi/pulumi/releases/download/v{version}/pulumi-{version}-checksums.txt"
)

# What the stand-ins for the clouds' plugins are made of.
CLOUD = ("internal/cloud", "schemas/schemas.go", "schemas/cloudflare.json", "schemas/hcloud.json")


def _pulumi_archive(*files: str) -> Download:
    return Download(
        url=PULUMI_URL,
        members={f"pulumi/{name}": f"bin/{name}" for name in files},
        sha256=PULUMI_PINS,
        checksums=PULUMI_CHECKSUMS,
        architectures={"amd64": "x64"},
    )


def _plugin_place(name: str, version: str) -> str:
    return f"pulumi/plugins/resource-{name}-v{version}/pulumi-resource-{name}"


def _plugin(
    name: str,
    version: str,
    *,
    owner: str = "pulumi",
    module: bool = False,
    standin: Callable[[str, str], GoBuild] | None = None,
    only_for: str = "",
) -> Tool:
    """Describe a Pulumi provider plugin; all are released in the same way."""
    binary, place = f"pulumi-resource-{name}", _plugin_place(name, version)
    release = f"https://github.com/{owner}/pulumi-{name}/releases"
    return Tool(
        name=f"{name} plugin",
        version=version,
        by_hand=f"`pulumi plugin install resource {name} {{version}}`, or from {release}",
        only_for=only_for,
        download=Download(
            url=f"{release}/download/v{{version}}/{binary}-v{{version}}-{{os}}-{{arch}}.tar.gz",
            members={binary: place},
            checksums=f"{release}/download/v{{version}}/pulumi-{name}_{{version}}_checksums.txt",
        ),
        module=GoBuild(
            directory=f"toolchain/modules/{binary}",
            package=".",
            output=place,
            version_variable="main.version",
            made_of=(".", "../stubs"),
        )
        if module
        else None,
        standin=standin(binary, place) if standin else None,
    )


def _standin(binary: str, place: str, shared: tuple[str, ...] = ()) -> GoBuild:
    return GoBuild(
        directory="lab/standins",
        package=f"./cmd/{binary}",
        output=place,
        version_variable="main.version",
        made_of=("go.mod", "go.sum", f"cmd/{binary}", *shared),
        copies={
            "bin/pulumi-language-python-exec": (
                "github.com/pulumi/pulumi/sdk/v3",
                "python/cmd/pulumi-language-python-exec",
            )
        }
        if binary == "pulumi-language-python"
        else {},
    )


def _of_the_lab(name: str, *shared: str) -> Tool:
    """Describe a program that the lab has in the place of a service of Cloudflare's.

    The real connector could not be used even if it were here: it dials Cloudflare and nobody else.
    """
    return Tool(
        name=name,
        version=OF_THE_LAB,
        by_hand="nothing replaces it; it is built by Go (https://go.dev/dl/)",
        only_for="requests through Cloudflare's edge in the lab",
        standin=_standin(name, f"lab/{name}", shared=shared),
    )


def _of_manifests(name: str, version: str, owner: str) -> Tool:
    """Describe a program that judges Kubernetes objects."""
    module = f"github.com/{owner}/{name}"
    return Tool(
        name=name,
        version=version,
        by_hand=f"https://{module}/releases (version {{version}})",
        only_for="the checks of Kubernetes objects",
        module=GoBuild(
            directory="toolchain/modules/manifests",
            package=f"{module}/cmd/{name}",
            output=f"bin/{name}",
            version_variable="main.version",
            version_prefix="v",
        ),
    )


def _made_once(binary: str, place: str) -> GoBuild:
    """Describe a stand-in for resources that are made on this machine and never change."""
    return _standin(binary, place, shared=("internal/provider",))


def _of_a_cloud(binary: str, place: str) -> GoBuild:
    """Describe a stand-in that asks the lab's own cloud."""
    return _standin(binary, place, shared=CLOUD)


def _of_the_cluster(_binary: str, place: str) -> GoBuild:
    """Describe the stand-in that talks to Kubernetes; its many modules are no one else's."""
    return GoBuild(
        directory="lab/kubernetes_plugin",
        package=".",
        output=place,
        version_variable="main.version",
        made_of=("go.mod", "go.sum", "main.go", "internal"),
    )


TOOLS = (
    Tool(
        name="pulumi",
        version=PULUMI,
        by_hand="https://www.pulumi.com/docs/install/ (version {version} or later, on PATH)",
        on_path=OnPath(
            command="pulumi",
            version_arguments=("version",),
            at_least=(3, 253),
            below=(4,),
        ),
        download=_pulumi_archive("pulumi"),
        module=GoBuild(
            directory="toolchain/modules/pulumi",
            package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
            output="bin/pulumi",
            version_variable="github.com/pulumi/pulumi/sdk/v3/go/common/version.Version",
            version_prefix="v",
        ),
    ),
    Tool(
        name="pulumi-language-python",
        version=PULUMI,
        by_hand="https://www.pulumi.com/docs/install/ (it comes with pulumi {version})",
        on_path=OnPath(
            command="pulumi-language-python",
            version_arguments=("-version",),
            at_least=(3, 253),
            below=(4,),
            beside=("pulumi-language-python-exec",),
        ),
        download=_pulumi_archive("pulumi-language-python", "pulumi-language-python-exec"),
        standin=_standin("pulumi-language-python", "bin/pulumi-language-python"),
    ),
    Tool(
        name="versitygw",
        version="1.0.14",
        by_hand="https://github.com/versity/versitygw/releases (version {version})",
        only_for="the lab's object store",
        module=GoBuild(
            directory="toolchain/modules/versitygw",
            package="github.com/versity/versitygw/cmd/versitygw",
            output="bin/versitygw",
            version_variable="main.Version",
        ),
    ),
    _plugin("proxmoxve", "8.6.0", owner="muhlba91", module=True),
    _plugin("random", "4.21.4", standin=_made_once),
    _plugin("tls", "5.6.2", standin=_made_once),
    _plugin("hcloud", "1.43.3", standin=_of_a_cloud, only_for="machines at Hetzner"),
    _plugin(
        "cloudflare", "6.23.1", standin=_of_a_cloud, only_for="DNS, tunnels and R2 at Cloudflare"
    ),
    _of_the_lab("lab-edge", "internal/edge", "internal/tunnel"),
    _of_the_lab("cloudflared", "internal/connector", "internal/tunnel"),
    _of_manifests("kubeconform", "0.7.0", "yannh"),
    _of_manifests("kube-score", "1.20.0", "zegl"),
)

KUBERNETES_PLUGIN = _plugin("kubernetes", "4.34.2", standin=_of_the_cluster)
"""Not among the tools until the program needs it: it takes minutes to build."""
