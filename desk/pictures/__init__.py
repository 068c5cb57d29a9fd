"""Make and serve pictures for the desk's pages: previews, tiles at 1:1, and overlays, stored together in packs."""
