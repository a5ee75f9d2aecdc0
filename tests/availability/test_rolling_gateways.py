"""R2: no request fails while gateways are restarted one after the other. The rounds with 20 s are those of run.py."""
import pytest


@pytest.mark.parametrize("count", ["two", "three"])
def test_R2_gateways_are_restarted_under_load(play, count):
    journal = play(f"{count} gateways are restarted one after the other")
    assert any(record.outcome == "told" for record in journal.of("websocket")), "WebSockets are told at the deadline"
