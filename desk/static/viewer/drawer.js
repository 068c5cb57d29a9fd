/* Draws tiles so that pixels of the picture and pixels of the screen coincide.

   OpenSeadragon's own drawers place tiles at fractional positions, enlarge them by a pixel to hide seams, draw what is
   beyond 100 % or transparent on a second canvas and scale that, smoothly. Here every edge between tiles lies on one whole
   device pixel that both tiles share, and a picture at 1:1 or larger is never smoothed. */

/**
 * Return a drawer for OpenSeadragon.
 *
 * `scene()` returns what is to be drawn: {stage: {width, height}, place: {magnification, left, top}, divider}; all in device
 * pixels. `divider` is the column where "before" ends and "after" begins.
 * `roleOf(tiledImage)` returns "before", "after" or "overlay".
 */
export function pixelDrawer(OpenSeadragon, { scene, roleOf }) {
  return class PixelDrawer extends OpenSeadragon.DrawerBase {
    constructor(options) {
      super(options);
      this._context = this.canvas.getContext("2d");
      this._above = document.createElement("canvas");
      this._aboveContext = this._above.getContext("2d");
    }

    static isSupported() {
      return true;
    }

    getType() {
      return "packshot-pixels";
    }

    getSupportedDataFormats() {
      return ["imageBitmap"];
    }

    canRotate() {
      return false;
    }

    setImageSmoothingEnabled() {}

    _createDrawingElement() {
      return document.createElement("canvas");
    }

    destroy() {
      super.destroy();
      for (const canvas of [this.canvas, this._above]) canvas.width = canvas.height = 1;
      this.canvas.remove();
    }

    draw(tiledImages) {
      const { stage, place, divider } = scene();
      this._owed = 0;
      for (const canvas of [this.canvas, this._above]) {
        if (canvas.width !== stage.width || canvas.height !== stage.height) {
          canvas.width = stage.width;
          canvas.height = stage.height;
        }
      }
      this._context.clearRect(0, 0, stage.width, stage.height);
      const parts = { before: [0, divider], after: [divider, stage.width] };
      for (const image of tiledImages.filter((one) => roleOf(one) !== "overlay")) {
        const [from, to] = parts[roleOf(image)];
        if (from < to) this._drawPicture(image, place, from, to, stage);
        else image.getTilesToDraw(); // an image that was never asked for its tiles wants to be drawn again for ever
      }
      this._drawOverlays(tiledImages.filter((one) => roleOf(one) === "overlay"), place, stage);
      this._drawn = { images: tiledImages.length, ...place };
    }

    /** Return whether the last frame showed this many images at this place, each with all tiles that belong there. */
    hasDrawn(images, place) {
      const drawn = this._drawn;
      return (
        this._owed === 0 && drawn?.images === images
        && drawn.magnification === place.magnification && drawn.left === place.left && drawn.top === place.top
      );
    }

    _drawPicture(image, place, from, to, stage) {
      const context = this._context;
      context.save();
      context.beginPath();
      context.rect(from, 0, to - from, stage.height);
      context.clip();
      for (const tile of this._tilesOf(image)) this._drawTile(context, image, tile, place);
      context.restore();
    }

    /** Overlays are put together on a canvas of their own: a finer tile replaces a coarser one instead of adding to it. */
    _drawOverlays(images, place, stage) {
      for (const image of images) {
        this._aboveContext.clearRect(0, 0, stage.width, stage.height);
        for (const tile of this._tilesOf(image)) this._drawTile(this._aboveContext, image, tile, place, { replaces: true });
        this._context.drawImage(this._above, 0, 0);
      }
    }

    /** Return an image's tiles, coarse ones first. A part of every image is on the stage, so one without tiles is still owed. */
    _tilesOf(image) {
      const tiles = image.getTilesToDraw().map((info) => info.tile);
      if (tiles.length === 0) this._owed += 1;
      return tiles.sort((one, other) => one.level - other.level);
    }

    _drawTile(context, image, tile, place, { replaces = false } = {}) {
      const bitmap = tile.loaded && this.getDataToDraw(tile);
      if (!bitmap) {
        this._owed += 1;
        return;
      }
      const { layout } = image.source;
      const level = layout.levels[tile.level];
      const scale = place.magnification * 2 ** (layout.levels.length - 1 - tile.level);
      const across = span(tile.x, layout, level[0], scale, place.left, layout.width * place.magnification);
      const down = span(tile.y, layout, level[1], scale, place.top, layout.height * place.magnification);
      if (across.length <= 0 || down.length <= 0) return;
      if (replaces) context.clearRect(across.at, down.at, across.length, down.length);
      if (bitmap.width === 1 && bitmap.height === 1) return; // an overlay's tile that shows nothing
      const coarse = tile.level < layout.levels.length - 1;
      context.imageSmoothingEnabled = !replaces && (scale < 1 || (coarse && scale > 1));
      context.imageSmoothingQuality = "medium";
      context.drawImage(
        bitmap, across.from, down.from, across.taken, down.taken, across.at, down.at, across.length, down.length,
      );
    }
  };
}

/**
 * Return where a tile lies along one axis on the screen ({at, length}, whole device pixels), and which part of its bitmap is
 * seen there ({from, taken}).
 *
 * Edges are rounded to the pixel that the neighbour begins with, and the part of the bitmap is chosen to match, so nothing is
 * stretched. `end` is the length of the picture on the screen: on smaller levels the last tile reaches beyond it.
 */
function span(index, layout, levelLength, scale, origin, end) {
  const first = index * layout.tile_px;
  const last = Math.min(first + layout.tile_px, levelLength);
  const at = Math.round(origin + first * scale);
  const to = Math.min(Math.round(origin + last * scale), Math.round(origin + end));
  const overlap = index > 0 ? layout.overlap_px : 0;
  const from = (at - origin) / scale - first + overlap;
  const until = (to - origin) / scale - first + overlap;
  const start = Math.max(0, from);
  return { at, length: to - at, from: start, taken: until - start };
}
