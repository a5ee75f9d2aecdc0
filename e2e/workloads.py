"""Objects that the cases put on the private side."""
import images

# What the restricted pod security standard asks for.
POD = {"securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
       "automountServiceAccountToken": False, "terminationGracePeriodSeconds": 1}
CONTAINER = {"imagePullPolicy": "Never",
             "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                 "capabilities": {"drop": ["ALL"]}}}
_TEMPORARY = {"volumes": [{"name": "tmp", "emptyDir": {}}]}


def sample_container():
    return {**CONTAINER, "name": "sample", "image": images.SAMPLE,
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
