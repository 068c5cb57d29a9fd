"""Pictures for the desk's pages: previews, tiles at 1:1, overlays, packs."""
