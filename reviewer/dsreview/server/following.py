"""A response that is made while the client waits, and left when it leaves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

T = TypeVar("T")


class ClientLeft(Exception):
    """Nobody waits for this response any more."""


async def unless_left(work: Awaitable[T], receive: Receive) -> T:
    """The result of `work`, cancelled where the client leaves before.

    Raises:
        ClientLeft: the client closed the connection.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_until_left(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientLeft
        return working.result()
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


class Stream(Response):
    """Parts as they come; `on_end` is called once, also where the client leaves."""

    def __init__(
        self,
        parts: Callable[[], AsyncIterator[bytes]],
        media_type: str,
        on_end: Callable[[], None],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.parts = parts
        self.on_end = on_end
        self.status_code = 200
        self.media_type = media_type
        self.background = None
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def pump() -> None:
            start = {"type": "http.response.start", "status": self.status_code}
            await send({**start, "headers": self.raw_headers})
            async with aclosing(self.parts()) as parts:  # type: ignore[type-var]
                async for part in parts:
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        try:
            await unless_left(pump(), receive)
        except ClientLeft:
            return
        finally:
            self.on_end()


async def _until_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
