/* The viewer put together: one shot's pictures, what lies above them, and the controls. */

import { engineIn } from "./engine.js";
import { Group, element } from "./controls.js";
import { Layer } from "./layer.js";
import { Aim } from "./marks.js";
import { NAMES, addressOf, told } from "./pictures.js";
import { Pixels, inWords } from "./picker.js";
import { Stage } from "./stage.js";

const SURROUNDS = { white: "White", grey: "Grey", black: "Black" };
const OVERLAYS = {
  off_white: ["Off-white", "Background that is not exactly white"],
  matte_edge: ["Edge", "Edge of the cut-out"],
  halo: ["Halo", "Halo along the outline"],
  colour: ["Colour", "Colour difference to the master"],
  reference: ["Reference", "Colour difference to the reference"],
};
const WIDE = "This screen shows more colours than sRGB. Pictures are shown as sRGB; a screen without colour management would make them too vivid.";
const BOXES = { findings: ["Findings", "Boxes of findings"], guides: ["Frame", "Frame and fill of each platform"] };

/** Return these promises, which are all under way; what one of them says too late for anybody to hear is no error. */
function started(promises) {
  for (const one of promises) one?.catch(() => {});
  return promises;
}

/**
 * The viewer of one shot. With `ahead` nobody sees it yet: it loads what is seen first, so that the shot is sharp as soon as its
 * turn comes (`arrive`).
 */
export class Viewer {
  constructor(place, { shot, kinds, findings, base = "", draws = true, ahead = false, styled = null }) {
    this._place = place;
    this._shot = shot;
    this._base = base;
    this._draws = draws;
    this._isAhead = ahead;
    this._isGone = false;
    this._isWell = true;
    this._styled = styled;
    this._ends = new AbortController();
    this._findings = findings;
    this._kinds = Object.fromEntries(Object.keys(NAMES).filter((kind) => kinds[kind]).map((kind) => [kind, kinds[kind]]));
    [this._after, ...this._others] = Object.keys(this._kinds);
    this._before = this._others[0] ?? null;
    this._looks = "after";
    this._share = 0.5;
    this._on = new Map();
    this._names = [];
    this._boxes = new Set(["findings"]);
    this._here = -1;
    this._pictures = new Map();
    this._build();
    this._seen = new Promise((resolve) => (this._isSeen = resolve));
    this._ready = this._open().catch((error) => this._failed(error)).finally(this._isSeen);
    if (ahead) this._lookAround().catch(() => {});
  }

  /** What the page may ask for. */
  api() {
    return {
      zoom: (to) => this._zoom(to),
      toggleBefore: () => this._look(this._looks === "before" ? "after" : "before"),
      toggleOverlay: (name) => (name in BOXES ? this._toggleBoxes(name) : this._toggleOverlay(name)),
      goTo: (index) => this._goTo(index),
      surround: (name) => this._surround(name),
      draw: () => this._aim.draws || this._aimAt(true),
      marks: () => this._aim.marks.map((mark) => ({ ...mark })),
      drawAgain: (marks) => this._drawAgain(marks),
      nextOverlay: () => this._nextOverlay(),
      place: () => this._stage.place,
      whenSharp: () => this._whenSharp(),
      isWell: () => this._isWell,
      arrive: () => this._arrive(),
      leave: () => this._leave(),
    };
  }

  // Coming and going

  /** Load what is seen first, before anybody sees it: the whole picture, its middle and its first finding at 1:1. */
  async _lookAround() {
    await this._whenSharp();
    const first = this._findings.find((one) => one.box);
    const places = [() => this._stage.zoom(1)];
    if (first) places.push(() => this._stage.goTo(first.box[0] + first.box[2] / 2, first.box[1] + first.box[3] / 2));
    for (const look of [...places, () => this._stage.zoom("fit")]) {
      if (!this._isAhead) return;
      look();
      await this._whenSharp();
    }
  }

  /** Somebody sees it from now on: the whole picture, with what they have chosen for the picture before. */
  _arrive() {
    this._isAhead = false;
    this._stage.zoom("fit");
    this._surround(sessionStorage.getItem("pv-surround") ?? "white");
    this._ready.then(() => this._keepOverlays()).catch(() => {});
  }

  /** Give back what it holds; the element can be removed then. */
  _leave() {
    this._isGone = true;
    this._ends.abort();
    this._stage.leave();
    this._engine?.leave();
  }

  // Building

  _build() {
    const root = element("div", { class: "pv", role: "region", "aria-label": `Picture of ${this._shot}` });
    this._bar = element("div", { class: "pv-bar" });
    const room = element("div", { class: "pv-room" });
    this._foot = element("div", { class: "pv-foot" });
    this._words = element("div", { class: "pv-words" });
    root.append(this._bar, room, this._foot, this._words);
    this._place.replaceChildren(root);
    this._stage = new Stage(room, {
      changed: () => this._moved(),
      pointed: (pixel) => this._aim.isOn || this._read(pixel),
    });
    this._layer = new Layer(this._stage.element);
    this._aim = new Aim(this._stage, { changed: (words) => this._aimed(words) });
    this._buildBar();
    this._buildFoot();
    this._surround(sessionStorage.getItem("pv-surround") ?? "white");
  }

  _buildBar() {
    const sizes = new Group("Magnification");
    sizes.add("fit", "Fit", "Show the whole picture", () => this._zoom("fit"));
    for (const to of [1, 2, 4]) sizes.add(String(to), `${to}:1`, `${to}:1, in pixels of the screen`, () => this._zoom(to));
    const looks = new Group("Before and after");
    if (this._before) {
      looks.add("before", "Before", "Show the picture before the edit", () => this._look(this._looks === "before" ? "after" : "before"));
      looks.add("slider", "Slider", "Before and after beside each other", () => this._look(this._looks === "slider" ? "after" : "slider"));
    }
    const others = new Group("Compare with");
    for (const kind of this._others.length > 1 ? this._others : []) others.add(kind, kind === "machine" ? "Machine" : NAMES[kind], NAMES[kind], () => this._compareWith(kind));
    const boxes = new Group("Boxes");
    const delivered = this._after === "delivered";
    for (const [name, [text, title]] of delivered ? [] : Object.entries(BOXES)) boxes.add(name, text, title, () => this._toggleBoxes(name));
    const overlays = new Group("Overlays");
    for (const [name, [text, title]] of this._after === "edit" ? Object.entries(OVERLAYS) : []) {
      const button = overlays.add(name, text, title, () => this._toggleOverlay(name));
      button.disabled = true;
      button.hidden = name === "reference"; // few shots have one
    }
    const aims = new Group("Tools");
    if (!delivered) aims.add("pick", "Pick", "Read single pixels, with the arrow keys", () => this._aimAt(false));
    const title = delivered ? "Mark a place: draw a box around it" : "Draw marks for an editor";
    if (this._draws) aims.add("mark", "Mark", title, () => this._aimAt(true));
    const surrounds = new Group("Surround");
    for (const [name, text] of Object.entries(SURROUNDS)) surrounds.add(name, text, `Surround ${name}`, () => this._surround(name));
    this._groups = { sizes, looks, others, boxes, overlays, aims, surrounds };
    for (const group of Object.values(this._groups)) if (!group.isEmpty && group !== surrounds) this._bar.append(group.element);
  }

  _buildFoot() {
    this._size = element("span", { class: "pv-size" });
    this._slider = element("input", { type: "range", min: "0", max: "100", value: "50", class: "pv-share", "aria-label": "Share of the picture shown as before", hidden: "" });
    this._slider.addEventListener("input", () => {
      this._share = this._slider.valueAsNumber / 100;
      this._draw();
    });
    this._readout = element("span", { class: "pv-readout" });
    this._said = element("p", { role: "status" });
    this._lacks = element("p", { class: "pv-trouble", role: "alert" });
    this._legend = element("p", { class: "pv-legend" });
    this._marked = element("span", { class: "pv-group pv-marked", role: "group", "aria-label": "Marks" });
    this._wide = element("p", {}, WIDE);
    this._foot.append(this._size, this._slider, this._readout, this._marked, this._groups.surrounds.element);
    this._words.append(this._lacks, this._said, this._legend, this._wide);
    const gamut = window.matchMedia("(color-gamut: p3)");
    const note = () => this._wide.toggleAttribute("hidden", !gamut.matches);
    gamut.addEventListener("change", note, { signal: this._ends.signal });
    note();
  }

  // Opening

  async _open() {
    if (!this._after) throw new Error("This shot has no picture yet.");
    this._say("Opening the picture …");
    const [layout, engine, before, overlays] = started([
      this._layout(this._after),
      engineIn(this._stage.engine, { scene: () => this._scene(), lost: (role) => this._lost(role) }),
      this._before ? this._layout(this._before) : null,
      this._after === "edit" ? told(`${this._address("edit")}/overlays.json`, "The list of overlays") : null,
    ]);
    this._engine = await engine;
    if (this._isGone) return this._engine.leave();
    await this._show(await layout);
    this._showBoxes();
    await this._styled;
    if (this._before) await this._addBefore(before).catch((error) => this._withoutBefore(error));
    await this._offerOverlays(overlays).catch((error) => this._lack(error.message));
  }

  /** Show the picture that is judged: from now on it can be magnified and moved. */
  async _show(layout) {
    this._stage.show(layout);
    this._stage.element.setAttribute("aria-label", `${NAMES[this._after]}, ${layout.width} x ${layout.height} pixels. Arrow keys move it, plus and minus magnify it, 0 shows all of it.`);
    await this._engine.add(layout, this._address(this._after), "after");
    this._say("");
    this._isSeen();
  }

  /** Have a picture to compare with. Of two that are asked for one after the other, the last one is shown, whichever comes first. */
  async _addBefore(layout, kind = this._before) {
    this._wantedBefore = kind;
    const told = await layout;
    if (this._wantedBefore !== kind) return;
    const item = await this._engine.add(told, this._address(kind), "before");
    if (this._wantedBefore !== kind) {
      this._engine.remove(item);
      return;
    }
    if (this._beforeItem) this._engine.remove(this._beforeItem);
    [this._beforeItem, this._before] = [item, kind];
    this._groups.looks.enable(true);
    this._draw();
  }

  /** Go on without the picture before: it did not come. */
  _withoutBefore(error) {
    this._before = null;
    this._groups.looks.enable(false);
    this._lack(error.message);
  }

  async _compareWith(kind) {
    await this._ready;
    try {
      await this._addBefore(this._layout(kind), kind);
    } catch (error) {
      this._trouble(error);
      return;
    }
    if (this._before === kind) await this._look(this._looks === "after" ? "before" : this._looks);
  }

  async _offerOverlays(offered) {
    const told = await offered;
    if (!told) return;
    const { address, overlays } = told;
    this._overlays = `${this._address("edit")}/${address}`;
    this._names.push(...overlays);
    for (const name of overlays) this._groups.overlays.button(name).disabled = this._groups.overlays.button(name).hidden = false;
    await this._keepOverlays();
  }

  /** Show the overlays that were shown above the last picture, and no others. */
  async _keepOverlays() {
    const kept = (sessionStorage.getItem("pv-overlays") ?? "").split(" ");
    for (const name of this._names) if (kept.includes(name) !== this._on.has(name)) await this._toggleOverlay(name);
  }

  _address(kind) {
    return this._base || addressOf(this._shot, kind, this._kinds[kind]);
  }

  async _layout(kind) {
    const layout = await told(`${this._address(kind)}/picture.json`, kind === this._after ? "The picture" : `The picture to compare with (${NAMES[kind]})`);
    this._pictures.set(kind, new Pixels(layout, this._address(kind)));
    return layout;
  }

  // Looking

  _scene() {
    const stage = this._stage.size;
    const divider = { after: 0, before: stage.width, slider: Math.round(stage.width * this._share) }[this._looks];
    return { stage, place: this._stage.place, ratio: this._stage.ratio, divider: this._before ? divider : 0 };
  }

  _moved() {
    if (!this._groups) return;
    this._engine?.moved();
    this._layer.moved(this._stage.place, this._stage.ratio);
    this._draw();
    this._groups.sizes.press(this._stage.fits ? "fit" : String(this._stage.magnification));
    this._size.textContent = this._stage.words;
  }

  _draw() {
    this._engine?.redraw();
    this._layer.divide(this._looks === "slider" ? this._scene().divider : null);
  }

  async _zoom(to) {
    if (to !== "fit" && !(Number(to) > 0)) throw new RangeError(`zoom takes "fit" or a number above 0, not ${to}`);
    await this._seen;
    this._stage.zoom(to === "fit" ? to : Number(to));
  }

  async _look(looks) {
    await this._ready;
    if (!this._before) return;
    this._looks = looks;
    this._groups.looks.press(looks);
    this._groups.others.press(this._before);
    this._slider.toggleAttribute("hidden", looks !== "slider");
    this._draw();
    const name = NAMES[this._before];
    this._say({ after: NAMES[this._after], before: `Before: ${name}`, slider: `Left: ${name}. Right: ${NAMES[this._after]}.` }[looks]);
  }

  async _toggleOverlay(name) {
    const button = this._groups.overlays.button(name);
    if (!button || button.disabled) return;
    if (this._on.has(name)) {
      this._engine.remove(this._on.get(name).item);
      this._on.delete(name);
    } else {
      button.disabled = true;
      this._say("Measuring …");
      try {
        const address = `${this._overlays}/${name}`;
        const layout = await told(`${address}/picture.json`, "The overlay");
        this._on.set(name, { item: await this._engine.add(layout, address, "overlay"), sentence: layout.sentence });
        this._say("");
      } catch (error) {
        this._trouble(error);
      } finally {
        button.disabled = false;
      }
    }
    this._groups.overlays.press(...this._on.keys());
    this._legend.textContent = [...this._on.values()].map((one) => one.sentence).join(" ");
    if (!this._isAhead) sessionStorage.setItem("pv-overlays", [...this._on.keys()].join(" "));
    this._draw();
  }

  /** Show the overlay after the one that is shown, alone; after the last one none. */
  async _nextOverlay() {
    await this._ready;
    const shown = [...this._on.keys()];
    const next = this._names[this._names.indexOf(shown.at(-1)) + 1];
    for (const name of shown) await this._toggleOverlay(name);
    if (next) await this._toggleOverlay(next);
  }

  _surround(name) {
    if (!(name in SURROUNDS)) throw new RangeError(`surround takes ${Object.keys(SURROUNDS).join(", ")}, not ${name}`);
    this._stage.element.dataset.surround = name;
    this._groups.surrounds.press(name);
    if (!this._isAhead) sessionStorage.setItem("pv-surround", name);
  }

  async _whenSharp() {
    await this._ready;
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const looks = () => {
      if (this._isGone) throw new Error("Another picture has taken its place.");
      if (!this._isWell) throw new Error(this._lacks.textContent);
      return this._engine.isSharp;
    };
    await frame();
    while (!looks()) await frame();
    await frame();
    await frame();
  }

  // Findings, guides, marks, single pixels

  async _goTo(index) {
    await this._seen;
    const finding = this._findings[index];
    if (!finding?.box) return;
    const [x, y, width, height] = finding.box;
    this._here = index;
    this._boxes.add("findings");
    this._stage.goTo(x + width / 2, y + height / 2);
    this._showBoxes();
    const what = finding.label ? `Mark ${finding.label}` : `Finding ${index + 1} of ${this._findings.filter((one) => !one.label).length}`;
    this._say(`${what}: ${finding.sentence}`);
  }

  async _toggleBoxes(name) {
    await this._ready;
    if (!this._boxes.delete(name)) this._boxes.add(name);
    if (name === "guides" && !this._guides && this._overlays) {
      try {
        this._guides = await told(`${this._overlays}/guides.json`, "The frame of the platforms");
      } catch (error) {
        this._boxes.delete(name);
        this._trouble(error);
        return;
      }
    }
    this._showBoxes();
    this._say(name === "guides" && this._boxes.has(name) ? (this._guides ?? []).map((one) => `${one.platform}: ${one.sentence}`).join(" ") : "");
  }

  _showBoxes() {
    const box = ([x, y, width, height]) => ({ x, y, width, height });
    const findings = this._findings.map((one, index) => one.box && {
      ...box(one.box),
      label: one.label ?? String(index + 1),
      className: index === this._here ? "pv-here" : `pv-${one.status}`,
    });
    const guides = (this._guides ?? []).flatMap((one, line) => [
      { ...box(one.frame), label: one.platform, line },
      box(one.fill),
      { ...box(one.product), className: "pv-product" },
    ]);
    this._layer.show("guides", this._boxes.has("guides") ? guides : []);
    this._layer.show("findings", this._boxes.has("findings") ? findings.filter(Boolean) : []);
    this._groups.boxes.press(...this._boxes);
  }

  _aimAt(draws) {
    if (this._aim.isOn && this._aim.draws === draws) this._aim.stop();
    else this._aim.start(draws);
    if (this._aim.isOn) this._stage.element.focus();
  }

  /** Draw marks that were drawn before, when the picture is there. */
  async _drawAgain(marks) {
    await this._seen;
    this._aim.restore(marks);
  }

  _aimed(words) {
    const { marks, cursor, drawing, draws, isOn } = this._aim;
    this._layer.show("marks", marks.map((mark, index) => ({ ...mark, label: `M${index + 1}` })));
    this._layer.show("drawing", drawing ? [drawing] : []);
    this._layer.show("cursor", cursor ? [{ ...cursor, width: 1, height: 1 }] : []);
    this._groups.aims.press(...(isOn ? [draws ? "mark" : "pick"] : []));
    if (words || !isOn) this._say(words);
    if (cursor) this._read(cursor, { aloud: !draws });
    const buttons = marks.map((_, index) => {
      const label = `M${index + 1}: remove this mark`;
      return element("button", { type: "button", "aria-label": label, title: label, on: () => this._aim.remove(index) }, `M${index + 1} ×`);
    });
    if (buttons.length !== this._marked.children.length) {
      this._marked.replaceChildren(...buttons);
      this._place.dispatchEvent(new CustomEvent("packshot-marks", { bubbles: true, detail: marks.map((mark) => ({ ...mark })) }));
    }
  }

  async _read(pixel, { aloud = false } = {}) {
    this._wanted = pixel;
    if (!pixel || this._after === "delivered") {
      this._readout.textContent = "";
      return;
    }
    const kinds = [this._after, this._before].filter((kind) => this._pictures.has(kind));
    const values = await Promise.all(kinds.map((kind) => this._pictures.get(kind).at(pixel.x, pixel.y).catch(() => undefined)));
    if (this._wanted !== pixel) return;
    const parts = kinds.map((kind, index) => values[index] && `${kinds.length > 1 ? `${NAMES[kind]} ` : ""}${inWords(values[index])}`);
    const figures = values[0] === undefined ? "the values did not arrive" : parts.filter(Boolean).join("\n");
    const words = values[0] === null ? "" : `${pixel.x}, ${pixel.y} · ${figures}`;
    this._readout.textContent = words;
    if (aloud) this._say(words);
  }

  _say(words) {
    this._said.classList.remove("pv-trouble");
    this._said.textContent = words;
  }

  _failed(error) {
    this._isWell = false;
    this._say("");
    this._lack(error.message);
  }

  /** A part of an image did not come, however often it was asked for. */
  _lost(role) {
    this._isWell &&= role === "overlay";
    this._lack(`A part of ${role === "overlay" ? "an overlay" : "the picture"} did not arrive; what is seen there is not exact. Load the page again.`);
  }

  /** Say what is not there and will not come by itself; these words stay. */
  _lack(words) {
    if (!this._lacks.textContent.includes(words)) this._lacks.append(`${this._lacks.textContent ? " " : ""}${words}`);
  }

  _trouble(error) {
    this._say(error.message);
    this._said.classList.add("pv-trouble");
  }
}
