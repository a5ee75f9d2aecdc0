"""Images without an engine: files of this machine, with the libraries that they need, as a tarball that containerd reads.

Reproducible: the same files make the same bytes.
"""
import hashlib
import io
import json
import pathlib
import re
import subprocess
import tarfile


def libraries(programs):
    """The shared libraries that programs and modules are linked with, the loader among them; none for static ones."""
    told = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False)
    return sorted(set(re.findall(r"(?:=> |^\s+)(/\S+) \(", told.stdout, re.MULTILINE)))


def layer(files):
    """The bytes of a tar of {path in the image: file or folder here, or bytes}."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        def plain(info):
            info.uid = info.gid = info.mtime = 0
            info.uname = info.gname = ""
            return None if info.name.endswith("__pycache__") else info
        for path, source in sorted(files.items()):
            if isinstance(source, bytes):
                info = tarfile.TarInfo(path.lstrip("/"))
                info.size, info.mode = len(source), 0o644
                tar.addfile(plain(info), io.BytesIO(source))
            else:
                tar.add(pathlib.Path(source).resolve(), path.lstrip("/"), filter=plain)
    return buffer.getvalue()


def _needed_by(sources):
    """{path: library} of all programs and loadable modules, those in folders too."""
    found = [pathlib.Path(source) for source in sources if not isinstance(source, bytes)]
    programs = [program for source in found for program in (source.rglob("*.so") if source.is_dir() else [source])]
    return {library: library for library in libraries(programs)}


def write(out, name, files, config):
    """`config`: the image's, such as {"Entrypoint": ["/pause"]}. Programs and modules among `files` bring their libraries."""
    content = layer({**files, **_needed_by(files.values())})
    image = json.dumps({
        "architecture": "amd64", "os": "linux", "created": "1970-01-01T00:00:00Z", "config": config,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(content).hexdigest()}"]}}).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]).encode()
    new = pathlib.Path(f"{out}.new")
    with tarfile.open(new, "w") as tar:
        for file, data in (("manifest.json", manifest), ("config.json", image), ("layer.tar", content)):
            info = tarfile.TarInfo(file)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    new.rename(out)
