/* Values of single pixels, from the picture's tiles and not from the screen. */

import { deltaEToWhite, labOf } from "./colour.js";

const TILES_KEPT = 6;

/** Reads pixels of a picture with this layout, whose tiles are at this address. */
export class Pixels {
  constructor(layout, address) {
    this._layout = layout;
    this._address = address;
    this._tiles = new Map();
  }

  /** Return [red, green, blue] of a pixel, 0 to 255, sRGB; null beyond the picture. */
  async at(x, y) {
    const { width, height, tile_px: side, overlap_px: overlap, levels } = this._layout;
    if (x < 0 || y < 0 || x >= width || y >= height) return null;
    const column = Math.floor(x / side);
    const row = Math.floor(y / side);
    const tile = await this._tile(`${this._address}/${levels.length - 1}/${column}_${row}.webp`);
    const across = x - column * side + (column > 0 ? overlap : 0);
    const down = y - row * side + (row > 0 ? overlap : 0);
    const start = (down * tile.width + across) * 4;
    return [...tile.data.slice(start, start + 3)];
  }

  _tile(address) {
    const known = this._tiles.get(address);
    this._tiles.delete(address);
    const tile = known ?? decoded(address);
    tile.catch(() => this._tiles.delete(address));
    this._tiles.set(address, tile);
    if (this._tiles.size > TILES_KEPT) this._tiles.delete(this._tiles.keys().next().value);
    return tile;
  }
}

async function decoded(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(await answer.text());
  const bitmap = await createImageBitmap(await answer.blob(), { colorSpaceConversion: "none" });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** Return a pixel's values in words. */
export function inWords(rgb) {
  const lab = labOf(rgb);
  const figures = lab.map((value) => value.toFixed(1).replace(/^-0\.0$/, "0.0")).join(" ");
  return `RGB ${rgb.join(" ")} · Lab ${figures} · ΔE to white ${deltaEToWhite(lab).toFixed(1)}`;
}
