"""R3, R4: no request fails while connectors are restarted one after the other."""


def test_R4_connectors_are_restarted_under_load(play):
    journal = play("two connectors are restarted one after the other")
    assert any(record.outcome == "told" for record in journal.of("websocket")), "WebSockets are told at the deadline"
