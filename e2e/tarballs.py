"""The images that the cases need, as tarballs in build/e2e/images, made anew only when what they hold has changed."""
import hashlib
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "e2e/cluster"))

import archive  # noqa: E402

FOLDER = ROOT / "build/e2e/images"
SAMPLE, TAG = "adit.test/sample:1", "e2e"
_PYTHON = pathlib.Path("/usr/bin/python3").resolve()  # Debian's, which has websockets
_STANDARD = pathlib.Path(f"/usr/lib/{_PYTHON.name}")


def sample():
    """A service with Python in it, so that tests can also look about from inside its pods. Debian's own files, not built by
    a Dockerfile: no registry is asked."""
    sources = [ROOT / name for name in ("tests/availability/service.py", "tests/component/origin.py",
                                        "tests/component/programs.py")]
    files = {f"/srv/{source.name}": source for source in sources}
    files["/srv/main.py"] = ROOT / "e2e/sample_service.py"
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in files.values())).hexdigest()[:12]
    out = FOLDER / f"sample-{digest}.tar"
    if not out.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        modules = {str(f): f for f in _STANDARD.iterdir() if f.name not in ("test", "idlelib", "tkinter", "__pycache__")}
        websockets = pathlib.Path("/usr/lib/python3/dist-packages/websockets")
        archive.write(out, SAMPLE, {**files, **modules, str(_PYTHON): _PYTHON, str(websockets): websockets},
                      {"Entrypoint": [str(_PYTHON), "-u", "/srv/main.py"], "User": "65532:65532"})
    return out



def build():
    """All of them: from the Dockerfiles, or, seconds instead of minutes, their last stages alone with the programs of
    ADIT_BIN=DIR."""
    compiled = ["--programs", os.environ["ADIT_BIN"]] if os.environ.get("ADIT_BIN") else []
    built = subprocess.run([ROOT / "e2e/images/build", "--tag", TAG, *compiled], stdout=subprocess.PIPE, text=True, check=True)
    return [sample(), *map(pathlib.Path, built.stdout.split())]
