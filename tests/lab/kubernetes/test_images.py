"""Images are made of files alone, the same at every build, under the names that manifests have."""

import hashlib
import json
import subprocess
import tarfile

import pytest

from lab.kubernetes.images import Image, Layout, from_debian, full_name
from lab.machines import BaseImage


def image(**more):
    files = {"bin/tool": b"program", "bin/alias": "tool"}
    return Image(**{"name": "lab/debug:1", "files": files, "entrypoint": ("/bin/tool",), **more})


def test_the_same_files_are_the_same_image():
    assert Layout().add(image()) == Layout().add(image())
    assert Layout().add(image()) != Layout().add(image(user="65535"))


def test_the_archive_names_the_image_and_holds_every_blob_under_its_digest(tmp_path):
    layout = Layout()
    digest = layout.add(image())
    layout.write(tmp_path / "images.tar")

    with tarfile.open(tmp_path / "images.tar") as tar:
        content = {m.name: tar.extractfile(m).read() for m in tar.getmembers()}
    (entry,) = json.loads(content["index.json"])["manifests"]
    assert entry["annotations"]["io.containerd.image.name"] == "docker.io/lab/debug:1"
    assert entry["digest"] == digest
    blobs = {name: data for name, data in content.items() if name.startswith("blobs/")}
    assert len(blobs) == 3
    assert all(hashlib.sha256(data).hexdigest() in name for name, data in blobs.items())


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "layer.tar").write_bytes(image().layer())

    with tarfile.open(tmp_path / "layer.tar") as tar:
        assert tar.getmember("bin/alias").linkname == "tool"


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("busybox", "docker.io/library/busybox"),
        ("rancher/mirrored-pause:3.6", "docker.io/rancher/mirrored-pause:3.6"),
        ("quay.io/metallb/speaker:v0.15.2", "quay.io/metallb/speaker:v0.15.2"),
        ("localhost/cold-backend:1", "localhost/cold-backend:1"),
    ],
)
def test_a_name_gets_the_registry_that_containerd_would_ask(short, full):
    assert full_name(short) == full


@pytest.mark.machines
def test_a_program_of_debian_runs_with_nothing_but_what_was_taken_with_it(tmp_path):
    files = from_debian(BaseImage().obtain(), "/usr/bin/curl")
    (tmp_path / "layer.tar").write_bytes(
        image(files={**files, "bin/curl": "/usr/bin/curl"}).layer()
    )
    (tmp_path / "root").mkdir()
    tar = ["tar", "-xf", tmp_path / "layer.tar", "-C", tmp_path / "root"]
    subprocess.run(tar, check=True)

    said = subprocess.run(
        ["chroot", tmp_path / "root", "/bin/curl", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout.startswith("curl 8.")
    assert "https" in said.stdout
