"""Pictures for the desk's pages: previews, tiles at 1:1, and overlays. Tiles are stored together in packs."""
