"""The calls about storages: images come and go."""

from __future__ import annotations

from urllib.parse import unquote

from fastapi import FastAPI

from .cluster import Cluster
from .disks import GIB, fits
from .forms import Answer, Form
from .hardware import Log
from .parameters import DOWNLOAD
from .refused import Refused

IMAGE_BYTES = 341_508_096
"""The size of any image: nothing is downloaded."""
STORAGE = "/api2/json/nodes/{node}/storage/{storage}"


def add(app: FastAPI, cluster: Cluster) -> None:
    """Add the calls to the API."""

    @app.get("/api2/json/nodes/{node}/query-url-metadata")
    def metadata(url: str) -> Answer:
        name = url.rsplit("/", 1)[-1]
        return {"data": {"filename": name, "size": IMAGE_BYTES, "mimetype": ""}}

    @app.get(f"{STORAGE}/content")
    def content(node: str, storage: str, content: str | None = None) -> Answer:
        cluster.check(node, storage)
        found = [_file(v, s) for v, s in cluster.files.items() if v.startswith(f"{storage}:")]
        return {"data": [f for f in found if content is None or f["content"] == content]}

    @app.post(f"{STORAGE}/download-url")
    def download(node: str, storage: str, form: Form) -> Answer:
        cluster.check(node, storage)
        DOWNLOAD.check(form)
        volume = f"{storage}:{form['content']}/{form['filename']}"
        if volume in cluster.files:
            raise Refused(f"refusing to override existing file '{volume}'")

        def work(log: Log) -> None:
            log(f"STAND-IN: {form['url']} is not downloaded, the lab has its own Debian")
            with cluster.changing() as records:
                fits(cluster, storage, IMAGE_BYTES / GIB)
                records.files[volume] = IMAGE_BYTES

        return {"data": cluster.tasks.start(node, "download", form["filename"], work)}

    @app.delete(f"{STORAGE}/content/{{volume:path}}")
    def delete(node: str, storage: str, volume: str) -> Answer:
        cluster.check(node, storage)
        name = unquote(volume)
        full = name if ":" in name else f"{storage}:{name}"

        def work(_: Log) -> None:
            with cluster.changing() as records:
                records.files.pop(full, None)

        return {"data": cluster.tasks.start(node, "imgdel", storage, work)}


def _file(volume: str, size: int) -> Answer:
    kind = volume.partition(":")[2].partition("/")[0]
    return {"volid": volume, "size": size, "format": "qcow2", "content": kind}
