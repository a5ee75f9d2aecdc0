"""R2: no request fails while gateways come and go."""


def test_R2_gateways_are_scaled_under_load(play):
    play("gateways are scaled from 1 to 3 to 2")
