"""Objects that the cases put on the private side."""
import pathlib

import yaml

import tarballs

ROOT = pathlib.Path(__file__).resolve().parents[1]

# What the restricted pod security standard asks for.
POD = {"securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
       "automountServiceAccountToken": False, "terminationGracePeriodSeconds": 1}
CONTAINER = {"imagePullPolicy": "Never",
             "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                 "capabilities": {"drop": ["ALL"]}}}
_TEMPORARY = {"volumes": [{"name": "tmp", "emptyDir": {}}]}


def sample_container():
    return {**CONTAINER, "name": "sample", "image": tarballs.SAMPLE,
            "readinessProbe": {"httpGet": {"path": "/", "port": 8000}, "periodSeconds": 1},
            "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]}


def sample(space, replicas=1, name="sample"):
    """HTTP on 8000, WebSocket echo on 8001."""
    labels = {"app": name}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": space},
                  "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                           "template": {"metadata": {"labels": labels},
                                        "spec": {**POD, **_TEMPORARY, "containers": [sample_container()]}}}}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": space},
               "spec": {"selector": labels, "ports": [{"name": "http", "port": 8000}, {"name": "chat", "port": 8001}]}}
    return deployment, service


def from_example(kind, secret, service_port, **container):
    """The Deployment or Job of examples/kubernetes/sidecar.yaml, with another Secret, and its own container replaced."""
    documents = yaml.safe_load_all((ROOT / "examples/kubernetes/sidecar.yaml").read_text())
    found = next(document for document in documents if document["kind"] == kind)
    spec = found["spec"]["template"]["spec"]
    sidecar, work = spec["initContainers"][0], spec["containers"][0]
    sidecar.update(image=f"adit-connector:{tarballs.TAG}", imagePullPolicy="Never")
    sidecar["args"] = [argument.replace(":3000", f":{service_port}").replace("import=", "") for argument in sidecar["args"]]
    for variable in sidecar["env"]:
        variable["valueFrom"]["secretKeyRef"]["name"] = secret
    for volume in spec["volumes"]:
        volume["secret"]["secretName"] = secret
    work.update(imagePullPolicy="Never", image=tarballs.SAMPLE, volumeMounts=[{"name": "tmp", "mountPath": "/tmp"}], **container)
    work.pop("args", None)
    spec["volumes"] += _TEMPORARY["volumes"]
    return found
