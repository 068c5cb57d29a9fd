/* OpenSeadragon as the engine that loads and keeps tiles. It gets no keys and no mouse: this viewer moves the picture. */

import { pixelDrawer } from "./drawer.js";
import { Frames } from "./frames.js";
import { tried } from "./pictures.js";

/** A level is drawn down to a little more than half its size, counted in device pixels; then the next smaller one is. */
const LEAST_RATIO = 0.51;
/** Overlays are drawn from the next smaller level as soon as the picture is: it keeps every pixel, and lets it grow. */
const LEAST_OVERLAY_RATIO = 0.99;

/** All engines of a page share their frames: the engine's functions for them are the page's. */
const frames = new Frames();

/** A tile that did not come is asked for again so often, and after so long. */
const TILE_TRIES = 2;
const TILE_PAUSE_MS = 500;

let loading = null;

/** Return OpenSeadragon, loaded once; it is a classic script and not a module. The next viewer tries anew if it did not come. */
function openSeadragon() {
  loading ??= tried(loaded);
  loading.catch(() => (loading = null));
  return loading;
}

function loaded() {
  return new Promise((resolve, reject) => {
    // OpenSeadragon adds a style element to the page unless it finds one with this mark. The page's policy forbids
    // inline styles, so it finds an element of that name that is none.
    const mark = document.createElementNS("urn:packshot:no-style", "style");
    mark.setAttribute("data-openseadragon-mobile-css", "true");
    document.head.append(mark);
    const script = document.createElement("script");
    script.src = new URL("openseadragon/openseadragon.min.js", import.meta.url).href;
    script.addEventListener("load", () => {
      frames.serve(window.OpenSeadragon);
      resolve(window.OpenSeadragon);
    });
    script.addEventListener("error", () => {
      for (const one of [mark, script]) one.remove();
      reject(new Error("The viewer's engine did not arrive. Load the page again."));
    });
    document.head.append(script);
  });
}

/** Return the engine in an element. `scene` is the drawer's; `lost` is called with the role of an image that lacks a tile. */
export async function engineIn(element, { scene, lost }) {
  const OpenSeadragon = await openSeadragon();
  return new Engine(OpenSeadragon, element, scene, lost);
}

class Engine {
  constructor(OpenSeadragon, element, scene, lost) {
    this._osd = OpenSeadragon;
    this._roles = new Map();
    this._scene = scene;
    this._lost = lost;
    this._failures = new WeakMap();
    this._awaited = 0;
    this._viewer = new OpenSeadragon.Viewer({
      element,
      drawer: pixelDrawer(OpenSeadragon, { scene, roleOf: (image) => this._roles.get(image) }),
      showNavigationControl: false,
      mouseNavEnabled: false,
      keyboardNavEnabled: false,
      tabIndex: "",
      autoResize: false,
      animationTime: 0,
      blendTime: 0,
      visibilityRatio: 0,
      constrainDuringPan: false,
      minZoomImageRatio: 0,
      maxZoomPixelRatio: Infinity,
      imageLoaderLimit: 8,
      maxImageCacheCount: 400,
      placeholderFillStyle: null,
    });
    this._viewer.innerTracker.setTracking(false);
    this._viewer.outerTracker.setTracking(false);
    for (const event of ["tile-loaded", "tile-load-failed", "fully-loaded-change"]) {
      this._viewer.addHandler(event, () => frames.wake());
    }
    this._viewer.addHandler("tile-load-failed", ({ tile, tiledImage }) => this._again(tile, tiledImage));
    this._viewer.drawer.canvas.addEventListener("contextrestored", () => this.redraw());
    this._isBusy = () => this._viewer.world.needsDraw() || ![...this._roles.keys()].every((image) => image.getFullyLoaded());
    frames.watch(this._isBusy);
  }

  /** Show a picture or an overlay; `role` is "before", "after" or "overlay". Return it, to be removed by `remove`. */
  add(layout, address, role) {
    const tileSource = new this._osd.TileSource({
      width: layout.width,
      height: layout.height,
      tileSize: layout.tile_px,
      tileOverlap: layout.overlap_px,
      minLevel: 0,
      maxLevel: layout.levels.length - 1,
      getTileUrl: (level, column, row) => `${address}/${level}/${column}_${row}.webp`,
    });
    tileSource.layout = layout;
    return new Promise((resolve, reject) => {
      this._viewer.addTiledImage({
        tileSource,
        success: ({ item }) => {
          this._roles.set(item, role);
          this.moved();
          resolve(item);
        },
        error: ({ message }) => reject(new Error(message)),
      });
    });
  }

  remove(item) {
    this._roles.delete(item);
    this._viewer.world.removeItem(item);
    frames.wake();
  }

  /** Ask for a tile that did not come once more after a while, or say that it is lost. The engine would never do either. */
  _again(tile, image) {
    const failures = (this._failures.get(tile) ?? 0) + 1;
    this._failures.set(tile, failures);
    if (!this._roles.has(image)) return;
    if (failures > TILE_TRIES) {
      this._lost(this._roles.get(image));
      return;
    }
    this._awaited += 1;
    setTimeout(() => {
      this._awaited -= 1;
      if (!this._roles.has(image)) return;
      tile.exists = true;
      image.setClip(null); // nothing is clipped: the engine looks anew which tiles it needs
      this.redraw();
    }, TILE_PAUSE_MS * failures);
  }

  /** Give back tiles and canvases. */
  leave() {
    frames.forget(this._isBusy);
    this._roles.clear();
    this._viewer.destroy();
  }

  /** Tell the engine that the view or the stage has changed. */
  moved() {
    const { stage, place, ratio } = this._scene();
    const { viewport, world } = this._viewer;
    const item = world.getItemAt(0);
    if (!item || !viewport) return;
    for (const [image, role] of this._roles) {
      image.minPixelRatio = (role === "overlay" ? LEAST_OVERLAY_RATIO : LEAST_RATIO) / ratio;
    }
    const { layout } = item.source;
    const width = layout.width * place.magnification;
    viewport.resize(new this._osd.Point(stage.width / ratio, stage.height / ratio), false);
    viewport.zoomTo(width / stage.width, null, true);
    const middle = new this._osd.Point((stage.width / 2 - place.left) / width, (stage.height / 2 - place.top) / width);
    viewport.panTo(middle, true);
    this.redraw();
  }

  /** Draw again, though nothing has moved. */
  redraw() {
    this._viewer.forceRedraw();
    frames.wake();
  }

  /** Return whether the present view is on the screen: every tile is loaded, and the last frame drew all of them there. */
  get isSharp() {
    if (this._awaited > 0) return false;
    if (![...this._roles.keys()].every((image) => image.getFullyLoaded())) return false;
    if (this._viewer.drawer.hasDrawn(this._roles.size, this._scene().place)) return true;
    this.redraw();
    return false;
  }
}
