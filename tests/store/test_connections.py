"""What a connection to PostgreSQL is told when it is made."""

from __future__ import annotations

import socket

import pytest

from server.settings import Settings
from server.store.transaction import SILENT_MS, Database
from tests.services import create_database

pytestmark = [pytest.mark.anyio, pytest.mark.system]


async def test_a_host_that_vanishes_is_noticed(postgresql_server: str) -> None:
    """The kernel alone would go on sending for a quarter of an hour."""
    database = Database(
        Settings(database_url=create_database(postgresql_server, "vanishing")).database
    )
    try:
        async with database.read() as connection:
            raw = await connection.get_raw_connection()
            driver = raw.driver_connection
            assert driver is not None
            sock = driver._transport.get_extra_info("socket")
            told = [
                sock.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_USER_TIMEOUT, socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL)
            ]
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert told == [SILENT_MS, 5, 5]
    finally:
        await database.close()
