"""Objects that the cases put on the private side."""
import tarballs

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


def connector_sidecar(secret, *services):
    """The connector as a native sidecar (docs/kubernetes.md): an init container that goes on, starts before the others and
    ends after them, so that Jobs end."""
    def from_secret(name, key):
        return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
    return {**CONTAINER, "name": "connector", "image": f"adit-connector:{tarballs.TAG}", "imagePullPolicy": "Never",
            "restartPolicy": "Always",
            "args": ["--token-file=/run/adit/connector/token", "--ca-file=/run/adit/connector/ca.crt", "--links=2",
                     "--admin=:9091", *(f"--service={service}" for service in services)],
            "env": [from_secret("ADIT_GATEWAY", "gateway"), from_secret("ADIT_TUNNEL", "tunnel")],
            # The other containers start once a link is up.
            "startupProbe": {"httpGet": {"path": "/readyz", "port": 9091}, "periodSeconds": 1, "failureThreshold": 60},
            "volumeMounts": [{"name": "credentials", "mountPath": "/run/adit/connector", "readOnly": True}]}


def with_sidecar(secret, container, **spec):
    """A pod's spec: the container, and a connector that offers its port 8000."""
    volumes = [{"name": "tmp", "emptyDir": {}}, {"name": "credentials", "secret": {"secretName": secret, "defaultMode": 0o440}}]
    security = {**POD["securityContext"], "fsGroup": 65532}
    return {**POD, "securityContext": security, "volumes": volumes, "terminationGracePeriodSeconds": 30,
            "initContainers": [connector_sidecar(secret, "http://127.0.0.1:8000")], "containers": [container], **spec}
