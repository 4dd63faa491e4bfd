"""What the console is told of the panel's tablets: there, silent, gone, and the battery."""

from __future__ import annotations

from server.live.tablets import SILENT_MS, Tablets


class Clock:
    """A time that the test sets."""

    now = 1_000

    def __call__(self) -> int:
        return self.now


def test_a_tablet_comes_says_how_it_is_and_goes() -> None:
    clock = Clock()
    tablets = Tablets(clock)
    assert tablets.of(7) == {}
    tablets.came(1, 7, 3)
    tablets.beat(1, 83, True)
    tablets.beat(9, 1, False)
    one = tablets.of(7)[3]
    assert (one.state(clock.now), one.battery, one.charging) == ("up", 83, True)
    assert tablets.of(8) == {}
    clock.now += SILENT_MS + 1
    assert one.state(clock.now) == "silent"
    tablets.beat(1, None, None)
    assert tablets.of(7)[3].state(clock.now) == "up"
    tablets.went(1)
    assert tablets.of(7)[3].state(clock.now) == "gone"
    assert tablets.of(7)[3].seen == clock.now


def test_of_two_sockets_of_a_seat_the_one_that_stays_counts() -> None:
    tablets = Tablets(Clock())
    tablets.came(1, 7, 3)
    tablets.came(2, 7, 3)
    tablets.went(1)
    assert tablets.of(7)[3].connected
    tablets.went(2)
    assert not tablets.of(7)[3].connected
    tablets.went(2)  # twice is as once
