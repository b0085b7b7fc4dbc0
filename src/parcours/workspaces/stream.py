"""Server-sent events over HTTP: as many streams as there are places, and none for pages of elsewhere."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from parcours.words import Language
from parcours.workspaces.live import Hub, Sees

OURS = ("same-origin", "none")
AGAIN_S = "15"
KIND = "text/event-stream"
LOOK_S = 2.0
"""How often a stream asks whether its reader is still signed in."""
Holds = Callable[[], Awaitable[bool]]


class LiveStream(StreamingResponse):
    """One reader's stream; it holds a place until it ends, however it ends."""

    def __init__(self, hub: Hub, language: Language, holds: Holds, sees: Sees | None = None) -> None:
        super().__init__(
            tell_while(hub.tell(language, sees), holds),
            media_type=KIND,
            # A proxy that collects an answer before it passes it on would keep everything back.
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell until either side has enough; answer 503 where all places are taken."""
        if not self._hub.enter():
            headers = {"Retry-After": AGAIN_S, "Cache-Control": "no-store"}
            await PlainTextResponse("503\n", 503, headers)(scope, receive, send)
            return
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._hub.leave()


async def tell_while(lines: AsyncIterator[bytes], holds: Holds) -> AsyncIterator[bytes]:
    """Yield ``lines`` as long as the session of their reader holds."""
    looked_at = time.monotonic()
    async for line in lines:
        if time.monotonic() - looked_at > LOOK_S:
            looked_at = time.monotonic()
            if not await holds():
                return
        yield line


def answer_stream(hub: Hub, language: Language, request: Request, holds: Holds, sees: Sees | None = None) -> Response:
    """Return the stream of ``hub`` while ``holds``, of what its reader ``sees``.

    A page of another site may not even take a place.
    """
    if request.headers.get("sec-fetch-site", "none") not in OURS:
        return PlainTextResponse("403\n", 403)
    if request.method == "HEAD":  # It would hold a place and never tell anything.
        return Response(media_type=KIND)
    return LiveStream(hub, language, holds, sees)
