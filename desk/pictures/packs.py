"""Read tiles of pictures for the desk's viewer. All tiles of a picture are stored together, as a pack.

A pack is made when it is first asked for, and made again if it is damaged or missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool

from desk.pictures.previews import Pictures
from desk.pictures.tile_cache import DamagedPackError, TileShelf
from packshot.looking.pack import Contents, Pack, Tile
from tasks.environment.settings import get_settings

FOLDER = "tiles"
"""Folder of the tiles in the scratch folder."""
FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}

T = TypeVar("T")


def own_pictures() -> Pictures:
    """Return a new `Pictures`, by which the desk finds the pictures of shots and keeps their tiles on disk.

    The tiles are in the folder ``tiles`` of the scratch folder that the settings name.
    """
    settings = get_settings()
    return Pictures(TileShelf(settings.scratch_dir / FOLDER, max_bytes=settings.tiles_max_bytes))


class Packs:
    """Reads packs of tiles, and has those made that are missing or damaged.

    A pack holds all tiles of one picture. Work on storage or disk runs in threads, so that other requests go on.
    """

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures

    async def described(self, name: str, make: Callable[[], Pack]) -> dict[str, Any]:
        """Return what a viewer needs before it loads tiles, as plain JSON. If the pack is not there, it is made first.

        The keys are ``width``, ``height``, ``tile_px``, ``overlap_px`` and ``levels`` (the picture's sizes, smallest
        first) of `packshot.looking.pack.Layout`, and the further data that the pack was made with.

        Args:
            name: the pack's name.
            make: called without arguments in a thread if the pack is not there; returns the pack.

        Raises:
            DiskFullError: the pack could not be written.
        """
        contents: Contents = await self._made(name, make, lambda: self._pictures.shelf.contents(name))
        return {**contents.layout.model_dump(mode="json"), **contents.about}

    async def tile(self, name: str, make: Callable[[], Pack], tile: Tile) -> bytes:
        """Return a tile's bytes; empty if the tile shows nothing. If the pack is not there, it is made first.

        Args:
            name: the pack's name.
            make: called without arguments in a thread if the pack is not there; returns the pack.
            tile: level, column and row.

        Raises:
            KeyError: the picture has no such tile.
            DiskFullError: the pack could not be written.
        """
        return await self._made(name, make, lambda: self._pictures.shelf.tile(name, tile))

    async def _made(self, name: str, make: Callable[[], Pack], read: Callable[[], T]) -> T:
        """Return what is read from a pack. One that is damaged, or was removed just now, is made anew once."""
        await self._ready(name, make)
        try:
            return await run_in_threadpool(read)
        except (DamagedPackError, FileNotFoundError):
            await run_in_threadpool(self._pictures.shelf.remove, name)
            await self._ready(name, make)
            return await run_in_threadpool(read)

    async def _ready(self, name: str, make: Callable[[], Pack]) -> None:
        made = await run_in_threadpool(self._pictures.ready, name, make)
        if made is not None:
            await asyncio.shield(asyncio.wrap_future(made))
