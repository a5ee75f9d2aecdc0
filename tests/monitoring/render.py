"""Draws a dashboard from the answers of a Prometheus: one HTML page, as near to Grafana's own as its model says.

Not all of Grafana, but what the dashboards here use: stat, timeseries, state-timeline and table, units, thresholds, stacking,
overrides by name, legends. A panel that cannot be drawn is an error."""
import html
import math
import re
import time

from dashboards import substitute

COLUMN, ROW, GAP = 46, 24, 6
GREY = "#8e8e9a"
PALETTE = ["#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#f2495c", "#b877d9", "#8ab8ff", "#fade2a", "#96d98d", "#ffb357", "#ca95e5", "#ff7383"]
NAMED = {"green": "#73bf69", "yellow": "#fade2a", "red": "#f2495c", "blue": "#5794f2", "purple": "#b877d9", "text": "#ccccdc", "orange": "#ff9830"}
STYLE = """
body { margin: 0; padding: 14px; background: #111217; color: #ccccdc; font: 12px Inter, "DejaVu Sans", Helvetica, sans-serif; }
h1 { font-size: 17px; font-weight: 500; margin: 0 0 2px } .about { color: #8e8e9a; margin-bottom: 10px }
.board { position: relative } .panel { position: absolute; background: #181b1f; border: 1px solid #2b2e34; border-radius: 3px; overflow: hidden }
.panel > b { display: block; font-weight: 500; padding: 6px 8px 2px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
.row { position: absolute; font-weight: 500; font-size: 14px; padding-top: 6px }
.legend { position: absolute; left: 8px; right: 8px; bottom: 5px; height: 14px; color: #a4a4b0; font-size: 11px; white-space: nowrap; overflow: hidden }
.legend i { display: inline-block; width: 12px; height: 3px; margin: 0 5px 3px 0; border-radius: 1px } .legend span { margin-right: 12px }
.big { font-size: 25px; font-weight: 500; position: absolute; left: 0; right: 0; text-align: center; top: 36px } .none { color: #8e8e9a; position: absolute; left: 0; right: 0; text-align: center; top: 45% }
table { border-collapse: collapse; width: 100% } th { text-align: left; color: #6e9fff; font-weight: 500 } td, th { padding: 4px 8px; border-bottom: 1px solid #2b2e34; white-space: nowrap }
text { fill: #8e8e9a; font-size: 10px } svg { position: absolute; left: 0; top: 0 }
"""


def short(value):
    """Three digits, and never an exponent."""
    return f"{value:.0f}" if abs(value) >= 999.5 else f"{value:.3g}"


def scaled(value, steps):
    size, name = next(((size, name) for size, name in steps if abs(value) >= size), steps[-1])
    return f"{short(value / size)} {name}" if value else "0"


def shown(value, unit, decimals=None):
    """A value as people read it."""
    if value is None or math.isnan(value):
        return "NaN"
    if unit == "percentunit":
        return f"{value * 100:.{decimals if decimals is not None else 1}f}%"
    if unit == "s":
        if abs(value) >= 86400:
            return f"{value / 86400:.1f} days"
        return scaled(value, [(3600, "h"), (60, "min"), (1, "s"), (1e-3, "ms"), (1e-6, "µs")])
    if unit in ("bytes", "Bps"):
        steps = [(2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "B")] if unit == "bytes" else [(1e9, "GB/s"), (1e6, "MB/s"), (1e3, "kB/s"), (1, "B/s")]
        return scaled(value, steps)
    suffix = {"reqps": " req/s", "ops": " /s", "none": ""}[unit]
    return f"{short(value)}{suffix}" if abs(value) < 1000 else f"{short(value / 1000)}K{suffix}"


def color_of(value, thresholds):
    color = thresholds["steps"][0]["color"]
    for step in thresholds["steps"][1:]:
        if value >= step["value"]:
            color = step["color"]
    return NAMED[color]


class Look:
    """What field configuration says of one series."""

    def __init__(self, panel, name, index):
        self.unit = panel["fieldConfig"]["defaults"]["unit"]
        self.color, self.dashed, self.fill = PALETTE[index % len(PALETTE)], False, True
        self.thresholds = None
        for override in panel["fieldConfig"]["overrides"]:
            matcher, wanted = override["matcher"]["id"], override["matcher"]["options"]
            if wanted == name if matcher == "byName" else re.search(wanted.strip("/"), name):
                self._apply(override["properties"])

    def _apply(self, properties):
        for entry in properties:
            if entry["id"] == "unit":
                self.unit = entry["value"]
            elif entry["id"] == "color":
                self.color = NAMED[entry["value"]["fixedColor"]]
            elif entry["id"] == "custom.lineStyle":
                self.dashed = True
            elif entry["id"] == "thresholds":
                self.thresholds = entry["value"]


def legend_of(target, labels):
    text = re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), target["legendFormat"]).strip()
    return text if text != "__auto" else ", ".join(labels.values()) or "value"


class Page:
    def __init__(self, prometheus, dashboard, variables, start, end, step):
        self.prometheus, self.dashboard, self.variables = prometheus, dashboard, variables
        self.start, self.end, self.step = start, end, step

    def html(self):
        model = self.dashboard.model
        parts = [self._panel(panel) for panel in self.dashboard.panels(rows=True)]
        bottom = max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in self.dashboard.panels(rows=True))
        self.size = (COLUMN * 24 + 28, bottom * ROW + 66)
        return (f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><h1>{html.escape(model['title'])}</h1>"
                f"<div class=about>{html.escape(model['description'])}</div><div class=board>{''.join(parts)}</div>")

    def _panel(self, panel):
        at = panel["gridPos"]
        left, top = at["x"] * COLUMN, at["y"] * ROW
        width, height = at["w"] * COLUMN - GAP, at["h"] * ROW - GAP
        title = html.escape(self._with_variables(panel["title"]))
        if panel["type"] == "row":
            return f"<div class=row style='left:0;top:{top}px'>{title}</div>"
        draw = {"stat": self._stat, "timeseries": self._graph, "state-timeline": self._timeline, "table": self._table}[panel["type"]]
        return (f"<div class=panel style='left:{left}px;top:{top}px;width:{width}px;height:{height}px'><b>{title}</b>"
                f"{draw(panel, width, height)}</div>")

    def _with_variables(self, text):
        return re.sub(r"\$(\w+)", lambda found: self.variables.get(found[1], found[0]), text)

    def _expression(self, target):
        return substitute(target["expr"], interval="15s", **self.variables)

    def _series(self, panel):
        """[(name, look, [(time, value)])]"""
        found = []
        for target in panel["targets"]:
            for labels, points in self.prometheus.range(self._expression(target), self.start, self.end, self.step):
                name = legend_of(target, labels)
                found.append((name, Look(panel, name, len(found)), [p for p in points if math.isfinite(p[1])]))
        return [series for series in found if series[2]]

    # Kinds of panels

    def _stat(self, panel, width, height):
        defaults = panel["fieldConfig"]["defaults"]
        (target,) = panel["targets"]
        samples = self.prometheus.query(self._expression(target))
        if not samples or not math.isfinite(samples[0][1]):
            return f"<div class=big style='color:{GREY}'>{html.escape(defaults['noValue'])}</div>"
        value = samples[0][1]
        color = color_of(value, defaults["thresholds"])
        spark = ""
        if panel["options"]["graphMode"] == "area":
            spark = self._spark(self._series(panel), width, height, color)
        return f"{spark}<div class=big style='color:{color}'>{shown(value, defaults['unit'], defaults.get('decimals'))}</div>"

    def _spark(self, series, width, height, color):
        if not series:
            return ""
        most = max(value for _, value in series[0][2]) or 1
        points = [(self._x(at, 0, width), height - 3 - value / most * height * 0.3) for at, value in series[0][2]]
        line = " ".join(f"{x:.0f},{y:.1f}" for x, y in points)
        return (f"<svg width={width} height={height}><polygon points='{points[0][0]:.0f},{height} {line} {points[-1][0]:.0f},{height}' fill='{color}' "
                f"opacity=.18 /><polyline points='{line}' fill=none stroke='{color}' /></svg>")

    def _x(self, at, left, right):
        return left + (at - self.start) / (self.end - self.start) * (right - left)

    def _graph(self, panel, width, height):
        series = self._series(panel)
        defaults = panel["fieldConfig"]["defaults"]
        if not series:
            return f"<div class=none>{html.escape(defaults.get('noValue', 'No data'))}</div>"
        stacked = defaults["custom"]["stacking"]["mode"] == "normal"
        lines = self._stacked(series) if stacked else [(name, look, [(at, 0.0, value) for at, value in points]) for name, look, points in series]
        most = max(upper for _, _, points in lines for _, _, upper in points)
        most = defaults.get("max") or self._nice(most, 1024 if series[0][1].unit == "bytes" else 1000)
        left, right, top, bottom = 58, width - 10, 30, height - 42
        y_of = lambda value: bottom - min(value, most) / most * (bottom - top)  # noqa: E731
        parts = [self._axes(most, series[0][1].unit, left, right, top, bottom)]
        for _, look, points in lines:
            parts += self._lines(look, points, left, right, y_of, stacked)
        if defaults["custom"]["thresholdsStyle"]["mode"] == "dashed":
            parts += [f"<line x1={left} x2={right} y1={y_of(s['value']):.1f} y2={y_of(s['value']):.1f} stroke='{NAMED[s['color']]}' stroke-dasharray='6 5' />"
                      for s in defaults["thresholds"]["steps"][1:] if s["value"] <= most]
        legend = "".join(f"<span><i style='background:{look.color}'></i>{html.escape(name)}</span>" for name, look, _ in series)
        return f"<svg width={width} height={height}>{''.join(parts)}</svg><div class=legend>{legend}</div>"

    @staticmethod
    def _nice(most, thousand):
        """The next number above that four equal parts make readable."""
        if most <= 0:
            return 1
        size = float(thousand) ** math.floor(math.log(most, thousand))
        return next(size * step for step in (1, 2, 4, 8, 10, 20, 40, 80, 100, 200, 400, 800, 1000, 2000) if size * step >= most * 1.02)

    def _stacked(self, series):
        below, lines = {}, []
        for name, look, points in series:
            stacked = [(at, below.get(at, 0.0), below.get(at, 0.0) + value) for at, value in points]
            below.update({at: upper for at, _, upper in stacked})
            lines.append((name, look, stacked))
        return lines

    def _axes(self, most, unit, left, right, top, bottom):
        parts = []
        for step in range(5):
            y = bottom - step / 4 * (bottom - top)
            parts.append(f"<line x1={left} x2={right} y1={y:.1f} y2={y:.1f} stroke='#2b2e34' /><text x={left - 6} y={y + 3:.1f} text-anchor=end>"
                         f"{shown(most * step / 4, unit)}</text>")
        for part in (0.1, 0.5, 0.9):
            at = self.start + part * (self.end - self.start)
            parts.append(f"<text x={self._x(at, left, right):.0f} y={bottom + 14} text-anchor=middle>{time.strftime('%H:%M:%S', time.gmtime(at))}</text>")
        return "".join(parts)

    def _lines(self, look, points, left, right, y_of, stacked):
        runs, run = [], []
        for point in points:
            if run and point[0] - run[-1][0] > 1.5 * self.step:
                runs.append(run)
                run = []
            run.append(point)
        for run in [*runs, run]:
            upper = " ".join(f"{self._x(at, left, right):.1f},{y_of(value):.1f}" for at, _, value in run)
            lower = " ".join(f"{self._x(at, left, right):.1f},{y_of(value):.1f}" for at, value, _ in reversed(run))
            if not look.dashed:
                yield f"<polygon points='{upper} {lower}' fill='{look.color}' opacity={0.3 if stacked else 0.07} />"
            dashes = "stroke-dasharray='7 5'" if look.dashed else ""
            yield f"<polyline points='{upper}' fill=none stroke='{look.color}' stroke-width=1.3 {dashes} />"

    def _timeline(self, panel, width, height):
        mapping = {float(value): entry for rule in panel["fieldConfig"]["defaults"]["mappings"] for value, entry in rule["options"].items()}
        series = self._series(panel)
        left, right, top = 150, width - 10, 34
        thick = min(30, (height - 84) / max(len(series), 1))
        parts = []
        for number, (name, _, points) in enumerate(series):
            y = top + number * (thick + 5)
            parts.append(f"<text x={left - 6} y={y + thick / 2 + 3:.0f} text-anchor=end>{html.escape(name)}</text>")
            for first, last, value in self._periods(points):
                x = self._x(first, left, right)
                parts.append(f"<rect x={x:.1f} y={y:.0f} width={max(1, min(self._x(last + self.step, left, right), right) - x):.1f} height={thick:.0f} "
                             f"fill='{NAMED[mapping[value]['color']]}' opacity=.75 />")
        legend = "".join(f"<span><i style='background:{NAMED[entry['color']]}'></i>{entry['text']}</span>" for entry in mapping.values())
        return f"<svg width={width} height={height}>{''.join(parts)}</svg><div class=legend>{legend}</div>"

    def _periods(self, points):
        """(first time, last time, value) of each run of one value without a gap."""
        periods = []
        for at, value in points:
            if periods and periods[-1][2] == value and at - periods[-1][1] < 1.5 * self.step:
                periods[-1][1] = at
            else:
                periods.append([at, at, value])
        return periods

    def _table(self, panel, width, height):
        organize = panel["transformations"][-1]["options"]
        names = organize["renameByName"]
        several = len(panel["targets"]) > 1
        rows = {}
        for target in panel["targets"]:
            for labels, value in self.prometheus.query(self._expression(target)):
                row = rows.setdefault(tuple(sorted(labels.items())), dict(labels))
                row[f"Value #{target['refId']}" if several else "Value"] = value
        columns = sorted(organize["indexByName"], key=organize["indexByName"].get)
        head = "".join(f"<th>{names[column]}</th>" for column in columns)
        body = "".join(f"<tr>{''.join(self._cell(panel, names[c], row.get(c)) for c in columns)}</tr>"
                       for row in sorted(rows.values(), key=lambda row: str(row.get(columns[0]))))
        return f"<table><tr>{head}</tr>{body}</table>"

    @staticmethod
    def _cell(panel, name, value):
        if value is None or isinstance(value, str):
            return f"<td>{html.escape(value or '')}</td>"
        look = Look(panel, name, 0)
        color = f" style='color:{color_of(value, look.thresholds)}'" if look.thresholds else ""
        return f"<td{color}>{shown(value, look.unit)}</td>"
