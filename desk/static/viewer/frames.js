/* Animation frames for OpenSeadragon: it asks for the next one for ever. Here it gets frames only while something is to be
   drawn; a page that stands still costs nothing. */

/** So many frames follow whatever happens: the first one learns which tiles are needed, and they may be there already. */
const FRAMES_AFTER = 3;

export class Frames {
  constructor() {
    this._asked = new Map();
    this._last = 0;
    this._left = 0;
    this._coming = 0;
    this._busy = new Set();
  }

  /** Take the place of the engine's own functions, by its public names. */
  serve(OpenSeadragon) {
    OpenSeadragon.requestAnimationFrame = (callback) => {
      this._last += 1;
      this._asked.set(this._last, callback);
      this._go();
      return this._last;
    };
    OpenSeadragon.cancelAnimationFrame = (id) => this._asked.delete(id);
  }

  /** Let frames come for as long as `isBusy()` is true, besides those that follow a call of `wake`. */
  watch(isBusy) {
    this._busy.add(isBusy);
    this.wake();
  }

  forget(isBusy) {
    this._busy.delete(isBusy);
  }

  /** Something has happened: what is asked for gets its frames. */
  wake() {
    this._left = FRAMES_AFTER;
    this._go();
  }

  _go() {
    if (this._coming || this._asked.size === 0) return;
    if (this._left === 0 && ![...this._busy].some((isBusy) => isBusy())) return;
    this._coming = window.requestAnimationFrame((time) => this._come(time));
  }

  /** Serve everybody who has asked until now. Who asks meanwhile is served by the next frame. */
  _come(time) {
    this._left = Math.max(0, this._left - 1);
    const asked = [...this._asked.keys()];
    for (const id of asked) {
      const callback = this._asked.get(id);
      this._asked.delete(id);
      callback?.(time);
    }
    this._coming = 0;
    this._go();
  }
}
