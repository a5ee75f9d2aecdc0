"""R4: no request fails while connectors come and go."""


def test_R4_connectors_are_scaled_under_load(play):
    play("connectors are scaled from 1 to 3 to 1")
