"""Takes in the body of a request: unpacked, counted against the limits, put aside (on disk beyond a megabyte), with its digest."""

import asyncio
import hashlib
import zlib
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO

from fastapi import Request
from starlette.requests import ClientDisconnect

from exchange.http.problems import RefusedError

_IN_MEMORY = 2**20
_PIECE = 2**16
_AS_GZIP = 16 + zlib.MAX_WBITS


class Body:
    """A body, put aside until it is closed.

    Args:
        limit: bytes, unpacked.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._digest = hashlib.sha256()
        self.size = 0
        self.file: IO[bytes] = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 # closed by `close`

    @property
    def digest(self) -> str:
        """SHA-256 in hex."""
        return self._digest.hexdigest()

    def put(self, piece: bytes) -> None:
        """Add a piece.

        Raises:
            RefusedError: 413 `too_large`.
        """
        self.size += len(piece)
        if self.size > self._limit:
            raise too_large(self._limit)
        self._digest.update(piece)
        self.file.write(piece)

    def close(self) -> None:
        """Let go of it."""
        self.file.close()


class _Gunzip:
    """Unpacks gzip piece by piece, never more than a piece ahead, so that a bomb costs no more than the limit."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_AS_GZIP)

    def unpack(self, packed: bytes) -> Iterator[bytes]:
        while packed:
            if self._stream.eof:  # another member follows
                self._stream = zlib.decompressobj(_AS_GZIP)
            try:
                piece = self._stream.decompress(packed, _PIECE)
            except zlib.error as error:
                raise _bad_gzip(str(error)) from error
            packed = self._stream.unconsumed_tail or self._stream.unused_data
            if piece:
                yield piece

    def end(self) -> None:
        if not self._stream.eof:
            raise _bad_gzip("it ends too early")


async def take_in(request: Request, *, limit: int, within_seconds: float) -> Body:
    """The body of a request.

    Args:
        request: to read.
        limit: bytes, unpacked.
        within_seconds: it must have arrived.

    Raises:
        RefusedError: 413 `too_large`, 415 `unsupported_encoding`, 400 `bad_gzip` or `cut_off`, 408 `too_slow`.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise RefusedError(
            415, f"不支持的压缩 Content-Encoding {encoding[:40]!r}", code="unsupported_encoding",
            remedy="send it as it is or with gzip", headers={"Accept-Encoding": "gzip, identity"},
        )  # fmt: skip
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > limit:
        raise too_large(limit)
    body = Body(limit)
    try:
        async with asyncio.timeout(within_seconds):
            await _fill(body, request, gzip=encoding == "gzip")
    except BaseException as error:
        body.close()
        if isinstance(error, TimeoutError):
            raise RefusedError(
                408, f"正文未在 {within_seconds:g} 秒内到齐 the body did not arrive in {within_seconds:g} s",
                code="too_slow", remedy="send it again, in smaller parts",
            ) from error  # fmt: skip
        if isinstance(error, ClientDisconnect):
            raise RefusedError(400, "正文中断 the body was cut off", code="cut_off", remedy="send it again") from error
        raise
    body.file.seek(0)
    return body


async def _fill(body: Body, request: Request, *, gzip: bool) -> None:
    packed = _Gunzip() if gzip else None
    async for chunk in request.stream():
        if packed is None:
            body.put(chunk)
        else:
            for piece in packed.unpack(chunk):
                body.put(piece)
    if packed is not None:
        packed.end()


def too_large(limit: int) -> RefusedError:
    """More than is taken at once."""
    return RefusedError(
        413, f"正文过大 the body is larger than {limit} bytes, unpacked", code="too_large", remedy="send it in parts"
    )


def _bad_gzip(why: str) -> RefusedError:
    return RefusedError(
        400, f"压缩有误 not gzip: {why}", code="bad_gzip", remedy="pack the whole body as one gzip stream"
    )
