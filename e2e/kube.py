"""The cluster as a user sees it: kubectl, with waits that have an end."""
import contextlib
import json
import subprocess
import time

import yaml

# Enforced in every namespace, those of the cluster's own parts included.
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


def wait_until(condition, what, seconds=60):
    """Polls until condition() is true, and returns what it gave. What it raises counts as not yet, and is told at the end."""
    deadline, last = time.monotonic() + seconds, ""
    while True:
        try:
            if found := condition():
                return found
        except (AssertionError, KeyError, IndexError, OSError) as error:
            last = f": {error!r}"
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}{last}")
        time.sleep(0.1)


class Kube:
    def __init__(self, node):
        self.node = node

    def __call__(self, *arguments, check=True, stdin=None):
        """kubectl; its standard output."""
        try:
            done = self.node.kubectl(*arguments, check=False, input=stdin)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"kubectl {' '.join(map(str, arguments))}: no end") from None
        if check and done.returncode:
            raise AssertionError(f"kubectl {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return done.stdout

    def apply(self, *documents, space=None):
        """Objects (dicts), or YAML."""
        text = "---\n".join(d if isinstance(d, str) else yaml.safe_dump(d) for d in documents)
        return self("apply", *(["-n", space] if space else []), "-f", "-", stdin=text)

    def get(self, kind, name=None, space=None, selector=None):
        """The object; without a name the list of objects."""
        words = ["get", kind, *([name] if name else []), "-o", "json", *(["-n", space] if space else [])]
        found = json.loads(self(*words, *(["-l", selector] if selector else [])))
        return found if name else found["items"]

    def exists(self, kind, name, space=None):
        return bool(self("get", kind, name, "--ignore-not-found", "-o", "name", *(["-n", space] if space else [])).strip())

    def namespace(self, name):
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}})

    def delete_namespaces(self, *names):
        self("delete", "namespace", *names, "--ignore-not-found", "--timeout=90s")

    @contextlib.contextmanager
    def namespaces(self, *names):
        """New ones for the block. When it fails they stay, for whoever looks for the reason."""
        self.delete_namespaces(*names)
        for name in names:
            self.namespace(name)
        yield
        self.delete_namespaces(*names)

    def rolled_out(self, workload, space, seconds=120):
        """Waits for `deployment/NAME`."""
        self("-n", space, "rollout", "status", workload, f"--timeout={seconds}s")

    def restart(self, workload, space, seconds=170):
        self("-n", space, "rollout", "restart", workload)
        self.rolled_out(workload, space, seconds)

    def scale(self, deployment, replicas, space, seconds=120):
        self("-n", space, "scale", f"deployment/{deployment}", f"--replicas={replicas}")
        self.rolled_out(f"deployment/{deployment}", space, seconds)

    def pods(self, selector, space):
        """Those that are not on their way out."""
        return [pod for pod in self.get("pods", space=space, selector=selector) if "deletionTimestamp" not in pod["metadata"]]

    def gone(self, selector, space, count=0, seconds=120):
        """Until no more than `count` pods are left, those on their way out included."""
        wait_until(lambda: len(self.get("pods", space=space, selector=selector)) <= count, f"{selector}: {count} left", seconds)

    def condition(self, kind, name, space, condition, status="True", seconds=60):
        self("-n", space, "wait", kind, name, f"--for=condition={condition}={status}", f"--timeout={seconds}s")

    def conditions(self, kind, name, space):
        """{type: (status, reason)}."""
        status = self.get(kind, name, space).get("status", {})
        return {c["type"]: (c["status"], c["reason"]) for c in status.get("conditions", [])}

    def kill(self, pod, container, space):
        """kill -9 of a container's first process, as from the node. The moment, as time.monotonic()."""
        states = self.get("pod", pod, space)["status"]
        every = states.get("containerStatuses", []) + states.get("initContainerStatuses", [])
        found = next(s["containerID"].removeprefix("containerd://") for s in every if s["name"] == container)
        tasks = [line.split() for line in self.node.ctr("tasks", "ls").stdout.splitlines()]
        process = next(words[1] for words in tasks if words[0] == found)
        moment = time.monotonic()
        self.node.inside("kill", "-9", process)
        return moment
