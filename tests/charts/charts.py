"""Charts as `helm template` renders them: lists of objects to look at."""
import os
import pathlib
import subprocess
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
ADIT = ROOT / "charts/adit"
CONNECTOR = ROOT / "charts/adit-connector"
CHARTS = (ADIT, CONNECTOR)
#: What a chart cannot do without.
NEEDED = {ADIT: {}, CONNECTOR: {"existingSecret": "shop-connector", "services": {"default": "http://web:80"}}}


def tool(name):
    """The path of a program of e2e/tools, which is built if it has to be."""
    return subprocess.run([ROOT / "e2e/tools/get", name], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def helm(*arguments, check=True):
    """Runs helm with no state of this user's; its output, standard error behind it."""
    with tempfile.TemporaryDirectory() as home:
        environment = {"PATH": os.environ["PATH"], "HOME": home}
        done = subprocess.run([tool("helm"), *map(str, arguments)], env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert not check or done.returncode == 0, done.stderr
    return done


def template(chart, values=None, release="adit", namespace="edge", check=True):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump({**NEEDED[chart], **(values or {})}, file)
        file.flush()
        return helm("template", release, chart, "--namespace", namespace, "--values", file.name, check=check)


def objects(chart, values=None, **others):
    """Every object, hooks too."""
    text = template(chart, values, **others).stdout
    return [o for o in yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if o]


def refusal(chart, values):
    """What helm says when it refuses the values."""
    done = template(chart, values, check=False)
    assert done.returncode != 0, "it was accepted"
    return done.stderr


def one(found, kind, name):
    matching = [o for o in found if o["kind"] == kind and o["metadata"]["name"] == name]
    assert len(matching) == 1, sorted((o["kind"], o["metadata"]["name"]) for o in found)
    return matching[0]


def of_kind(found, *kinds):
    return [o for o in found if o["kind"] in kinds]


def container(found, deployment):
    return one(found, "Deployment", deployment)["spec"]["template"]["spec"]["containers"][0]


def flags(found, deployment):
    """Flag → values of a Deployment's container."""
    values = {}
    for argument in container(found, deployment)["args"]:
        name, _, value = argument.partition("=")
        values.setdefault(name, []).append(value)
    return values


def pod_specs(found):
    for o in found:
        if o["kind"] == "Pod":
            yield o, o["spec"]
        elif o["kind"] == "Deployment":
            yield o, o["spec"]["template"]["spec"]

