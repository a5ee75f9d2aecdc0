"""A real Prometheus: scrapes programs on loopback, answers queries, evaluates rules."""
import json
import urllib.error
import urllib.parse
import urllib.request

import yaml

from programs import Program, free_port, wait_until



class QueryError(AssertionError):
    pass


class Prometheus:
    """`targets`: (job, labels, address), as many as there are programs; `rules`: files; `interval` of scrapes and evaluations."""

    def __init__(self, folder, targets=(), rules=(), interval="500ms", name="prometheus"):
        self.folder, self.port, self.interval = folder / name, free_port(), interval
        self.folder.mkdir()
        self.config = self.folder / "prometheus.yml"
        self._configure(targets, rules)
        self.program = Program(name, [
            "prometheus", f"--config.file={self.config}", f"--storage.tsdb.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"], self.folder)

    def wait_ready(self):
        wait_until(self._ready, "Prometheus is ready", 40)

    def _ready(self):
        assert self.program.running(), self.program.err
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=10) as answer:
                return answer.status == 200
        except OSError:
            return False

    def _configure(self, targets, rules):
        jobs = {}
        for job, labels, address in targets:
            jobs.setdefault(job, []).append({"targets": [address], "labels": labels})
        self.config.write_text(yaml.safe_dump({
            "global": {"scrape_interval": self.interval, "evaluation_interval": self.interval},
            "rule_files": [str(rule) for rule in rules],
            "scrape_configs": [{"job_name": job, "static_configs": groups} for job, groups in jobs.items()]}))

    def ask(self, path, **parameters):
        """The data of an answer; what Prometheus says when it does not understand."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters, doseq=True)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise QueryError(f"{parameters.get('query', path)}: {error.read().decode()}") from None

    def query(self, expression):
        """The samples of an instant query: [(labels, value)]."""
        data = self.ask("query", query=expression)
        assert data["resultType"] == "vector", f"{expression} is a {data['resultType']}"
        return [(sample["metric"], float(sample["value"][1])) for sample in data["result"]]

    def range(self, expression, start, end, step):
        """[(labels, [(time, value)])] of a range query; times in seconds."""
        data = self.ask("query_range", query=expression, start=start, end=end, step=step)
        return [(series["metric"], [(float(at), float(value)) for at, value in series["values"]]) for series in data["result"]]

    def label_values(self, label, match):
        return self.ask(f"label/{label}/values", **{"match[]": match})

    def up(self):
        """Addresses that were scraped with success."""
        return {labels["instance"] for labels, value in self.query("up") if value == 1}

    def firing(self):
        """name → the alerts of that name that fire."""
        alerts = {}
        for alert in self.ask("alerts")["alerts"]:
            if alert["state"] == "firing":
                alerts.setdefault(alert["labels"]["alertname"], []).append(alert)
        return alerts

    def stop(self):
        self.program.stop()
