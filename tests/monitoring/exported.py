"""What docs/metrics.md says that the programs export."""
import pathlib
import re

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(\w+)` \| (counter|gauge|histogram) \| ([\w, –]+) \|", re.MULTILINE)


def exported():
    """name → its labels."""
    rows = ROW.findall(DOCUMENT.read_text(encoding="utf-8"))
    assert len(rows) > 50
    return {name: set() if labels == "–" else set(labels.split(", ")) for name, _, labels in rows}
