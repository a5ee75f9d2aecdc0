"""What is left of a failed case for whoever looks for the reason: logs, events, objects."""
import os
import pathlib
import re
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDER = pathlib.Path(os.environ.get("ADIT_E2E_ARTEFACTS") or
                      ROOT / "build/e2e" / time.strftime("%Y-%m-%d-%H%M%S"))
_KINDS = ("pods,deployments,replicasets,jobs,services,endpointslices,ingresses,ingressclasses,tunnels,configmaps,leases,"
          "poddisruptionbudgets,networkpolicies,serviceaccounts,roles,rolebindings")


def _write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def collect(case, kube, report):
    """Into FOLDER/case; never fails. Secrets are listed by name and keys alone."""
    folder = FOLDER / re.sub(r"[^\w-]+", "_", case)
    _write(folder / "failure.txt", report)
    for file, words in (("events.txt", ("get", "events", "-A", "--sort-by=.lastTimestamp")),
                        ("pods.txt", ("get", "pods", "-A", "-o", "wide")),
                        ("tunnels.txt", ("get", "tunnels", "-A", "-o", "wide")),
                        ("objects.yaml", ("get", _KINDS, "-A", "-o", "yaml")),
                        ("crds.yaml", ("get", "crds", "-o", "yaml")),
                        ("secrets.txt", ("describe", "secrets", "-A")),
                        ("pods-described.txt", ("describe", "pods", "-A"))):
        _write(folder / file, kube(*words, check=False))
    # Also of containers and pods that have ended, which kubectl cannot ask any more.
    for log in sorted((kube.node.state / "logs").rglob("*.log")):
        if log.is_file() and "init" not in log.name:
            text = log.read_text(errors="replace")
            _write(folder / "logs" / str(log.relative_to(kube.node.state / "logs")).replace("/", "_"), text[-2_000_000:])
    return folder
