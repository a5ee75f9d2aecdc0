"""The dashboards as Grafana reads them: panels, queries, variables."""
import json
import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]
FILES = sorted((ROOT / "charts" / "adit" / "dashboards").glob("*.json"))
METRIC = re.compile(r"\b(?:adit|process|go|up)_[a-z0-9_]+\b")


class Dashboard:
    def __init__(self, file):
        self.file, self.model = file, json.loads(file.read_text(encoding="utf-8"))
        self.uid, self.title = self.model["uid"], self.model["title"]

    def __repr__(self):
        return self.file.stem

    def panels(self, rows=False):
        """All panels, those within collapsed rows included."""
        for panel in self.model["panels"]:
            if rows or panel["type"] != "row":
                yield panel
            yield from panel.get("panels", [])

    def variables(self):
        return {variable["name"]: variable for variable in self.model["templating"]["list"]}

    def queries(self):
        """(panel, target) of each query."""
        return [(panel, target) for panel in self.panels() for target in panel.get("targets", [])]


def dashboards():
    return [Dashboard(file) for file in FILES]


def substitute(expression, interval="5s", **values):
    """The expression as Grafana sends it; a variable without a value is All, whose regular expression is .*"""
    expression = expression.replace("$__rate_interval", interval)
    return re.sub(r"\$\{?(\w+)\}?", lambda found: values.get(found[1], ".*"), expression)


def metrics_of(expression):
    """The names of metrics; a histogram's by its family."""
    return {re.sub("_(bucket|sum|count)$", "", name) for name in METRIC.findall(expression)}
