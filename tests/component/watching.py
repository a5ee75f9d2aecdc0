"""What a connector tells of its failures: log, /status, /readyz and metrics."""
import json

from programs import wait_until


def links(edge, connector):
    status, text = edge.admin_page("/status", connector.admin)
    return json.loads(text)["links"] if status == 200 else []


def cause(edge, connector):
    """The cause that /status tells of the first link; None before there is one."""
    first = next(iter(links(edge, connector)), {})
    return first.get("lastCause")


def wait_cause(edge, connector, *names):
    """Waits for one of these causes and returns what /status tells of that link."""
    wait_until(lambda: cause(edge, connector) in names, f"the connector tells one of {names}")
    return links(edge, connector)[0]


def log_lines(program, message):
    return [line for line in map(json.loads, filter(None, program.err.splitlines())) if line["message"] == message]


def told_everywhere(edge, connector, *names):
    """A cause, once it is told, is told in the log with its fix, in /status, /readyz and the metrics. Returns the link."""
    link = wait_cause(edge, connector, *names)
    name = link["lastCause"]
    line = next(line for line in log_lines(connector, "link can't be opened") if line["cause"] == name)
    assert line["fix"] == link["lastFix"] and line["reason"] in link["lastError"]
    status, text = edge.admin_page("/readyz", connector.admin)
    assert status == 503 and link["lastError"] in text
    assert edge.metrics(connector.admin)[f'adit_connector_dials_total{{result="{name}"}}'] >= 1
    assert connector.running()
    return link
