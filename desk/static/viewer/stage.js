/* The stage: where the picture is shown, how large it is on the screen, and how it is moved and magnified. */

import { element } from "./controls.js";
import { fitting, held, inWords, pixelAt, placed, stepped, zoomed } from "./view.js";

/** So much turning of a wheel, in CSS pixels, is one step of magnification. */
const WHEEL_STEP = 60;
/** Room for the ring around the stage that shows that it has the focus, in CSS pixels. */
const RING = 3;
/** Most device pixels that the stage gives up at each side to have a length that the browser keeps exactly. */
const EXACT_WITHIN = 16;
/** The arrow keys move the picture by this share of the stage. */
const KEY_STEP = 0.125;

/**
 * Return the nearest length upwards (+1) or downwards (-1), in device pixels, that a browser keeps exactly: it counts in 1/64
 * of a CSS pixel, and what is cut off would make it scale the picture.
 */
function exact(length, way, ratio) {
  for (let tried = length; Math.abs(tried - length) < EXACT_WITHIN; tried += way) {
    const counted = (tried / ratio) * 64;
    if (Math.abs(counted - Math.round(counted)) < 1e-6) return tried;
  }
  return length;
}

export class Stage {
  /** `changed` is called when the view or the stage has changed; `pointed` with the pixel below the pointer, or null. */
  constructor(room, { changed, pointed }) {
    this._room = room;
    this._changed = changed;
    this._pointed = pointed;
    this.element = element("div", { class: "pv-stage", tabindex: "0", role: "group", "data-surround": "white" });
    this.engine = element("div", { class: "pv-engine" });
    this.element.append(this.engine);
    room.append(this.element);
    this.picture = { width: 1, height: 1 };
    this._view = { magnification: 1, x: 0.5, y: 0.5 };
    this._fits = true;
    this._turned = 0;
    this.size = { width: 1, height: 1 };
    this._tool = null;
    this._ends = new AbortController();
    this._sizes = new ResizeObserver(() => this._measure());
    this._sizes.observe(room);
    this._watchRatio();
    this._measure();
    this._listen();
  }

  /** Watch the window no longer. */
  leave() {
    this._sizes.disconnect();
    this._ends.abort();
  }

  /** Device pixels for each CSS pixel. */
  get ratio() {
    return window.devicePixelRatio;
  }

  /** Where the picture lies: {magnification, left, top}, device pixels. */
  get place() {
    return placed(this._view, this.size);
  }

  get magnification() {
    return this._view.magnification;
  }

  get fits() {
    return this._fits;
  }

  get words() {
    return this._fits && this.magnification !== 1 ? `Whole picture, ${inWords(this.magnification)}` : inWords(this.magnification);
  }

  /** The pixel of the picture in the middle of the stage. */
  get middle() {
    return pixelAt({ x: this.size.width / 2, y: this.size.height / 2 }, this.place);
  }

  /** Let a tool have the pointer: {down, move, up, key} are called with pixels; what they don't take moves the picture. */
  use(tool) {
    this._tool = tool;
    this.element.classList.toggle("pv-aiming", Boolean(tool));
  }

  show(picture) {
    this.picture = picture;
    this._fits = true;
    this._set({ magnification: 1, x: picture.width / 2, y: picture.height / 2 });
  }

  /** Magnify to so many device pixels for each pixel of the picture, or to the whole picture: "fit". */
  zoom(to, at = { x: this.size.width / 2, y: this.size.height / 2 }) {
    this._fits = to === "fit";
    this._set(this._fits ? this._view : zoomed(this._view, to, at, this.size));
  }

  /** Put a pixel of the picture into the middle at 1:1. */
  goTo(x, y) {
    this._fits = false;
    this._set({ magnification: 1, x, y });
  }

  /** Move the picture so that a pixel is seen. */
  reveal({ x, y }) {
    const { magnification, left, top } = this.place;
    const [across, down] = [left + x * magnification, top + y * magnification];
    if (across < 0 || down < 0 || across >= this.size.width || down >= this.size.height) {
      this._set({ ...this._view, x, y });
    }
  }

  _set(view) {
    const magnification = this._fits ? fitting(this.picture, this.size) : view.magnification;
    this._view = held({ ...view, magnification }, this.picture, this.size);
    this._changed();
  }

  _step(way, at) {
    const to = stepped(this._view.magnification, way, this.picture, this.size);
    this.zoom(to === fitting(this.picture, this.size) ? "fit" : to, at);
  }

  _move(across, down) {
    const { magnification, x, y } = this._view;
    this._set({ ...this._view, x: x + across / magnification, y: y + down / magnification });
  }

  /** Take as many whole device pixels as the room has, beginning on a whole one: else the browser scales the canvas. */
  _measure() {
    const { ratio } = this;
    const box = this._room.getBoundingClientRect();
    const [left, top] = [box.left, box.top].map((side) => exact(Math.ceil((side + RING) * ratio - 0.01), 1, ratio));
    const [right, bottom] = [box.right, box.bottom].map((side) => Math.floor((side - RING) * ratio + 0.01));
    const [width, height] = [right - left, bottom - top].map((side) => Math.max(1, exact(side, -1, ratio)));
    this.element.style.left = `${left / ratio - box.left}px`;
    this.element.style.top = `${top / ratio - box.top}px`;
    this.element.style.width = `${width / ratio}px`;
    this.element.style.height = `${height / ratio}px`;
    this.size = { width, height };
    this._set(this._view);
  }

  _watchRatio() {
    const query = window.matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    query.addEventListener("change", () => {
      this._measure();
      this._watchRatio();
    }, { once: true, signal: this._ends.signal });
  }

  _at(event) {
    const box = this.element.getBoundingClientRect();
    return { x: (event.clientX - box.left) * this.ratio, y: (event.clientY - box.top) * this.ratio };
  }

  _listen() {
    const stage = this.element;
    let from = null;
    stage.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      stage.setPointerCapture(event.pointerId);
      const at = this._at(event);
      from = this._tool?.down?.(pixelAt(at, this.place)) ? null : at;
      stage.classList.toggle("pv-moving", from !== null);
    });
    stage.addEventListener("pointermove", (event) => {
      const at = this._at(event);
      const pixel = pixelAt(at, this.place);
      if (from) {
        this._move(from.x - at.x, from.y - at.y);
        from = at;
      } else if (event.buttons & 1) {
        this._tool?.move?.(pixel);
      }
      this._pointed(pixel);
    });
    const ended = () => {
      if (!from) this._tool?.up?.();
      from = null;
      stage.classList.remove("pv-moving");
    };
    stage.addEventListener("pointerup", ended);
    stage.addEventListener("pointercancel", ended);
    stage.addEventListener("pointerleave", () => this._pointed(null));
    stage.addEventListener("dblclick", (event) => {
      this.zoom(this._fits ? 1 : "fit", this._at(event));
    });
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      this._turned += event.deltaMode === 0 ? event.deltaY : event.deltaY * 40;
      if (Math.abs(this._turned) < WHEEL_STEP) return;
      this._step(this._turned < 0 ? 1 : -1, this._at(event));
      this._turned = 0;
    }, { passive: false });
    stage.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (this._tool?.key?.(event) || this._key(event)) {
        event.preventDefault();
        event.stopPropagation();
      }
    });
  }

  _key(event) {
    const step = KEY_STEP * Math.min(this.size.width, this.size.height);
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (moves[event.key]) this._move(...moves[event.key]);
    else if (event.key === "+" || event.key === "=") this._step(1);
    else if (event.key === "-") this._step(-1);
    else if (event.key === "0") this.zoom("fit");
    else return false;
    return true;
  }
}
