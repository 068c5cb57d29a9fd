/* What lies above the picture: boxes of findings, marks, guides, the divider and the cursor. Drawn as SVG, by attributes. */

const SVG = "http://www.w3.org/2000/svg";

/** Height of a line of labels and about the width of a sign in them, in CSS pixels. */
const LINE = 15;
const SIGN = 8;

/** Write labels; where they would hide each other, all of them in one line at the place of the first. */
function withoutOverlap(labels) {
  const length = ({ words }) => SIGN * (words.join(" ").length + 1);
  const shown = [];
  for (const label of labels) {
    const near = shown.find((one) =>
      Math.abs(label.y - one.y) < LINE && label.x - one.x < length(one) && one.x - label.x < length(label));
    if (near) near.words.push(...label.words);
    else shown.push(label);
    if (near) label.words = [];
  }
  for (const { part, words } of labels) part.textContent = words.join(" ");
}

export class Layer {
  constructor(element) {
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.classList.add("pv-layer");
    this.svg.setAttribute("aria-hidden", "true");
    element.append(this.svg);
    this._groups = new Map();
    this._boxes = new Map();
    this._place = { magnification: 1, left: 0, top: 0 };
    this._ratio = 1;
  }

  /** Show these boxes ({x, y, width, height, label?, line?, className?} in pixels of the picture) in place of the group's others. */
  show(group, boxes) {
    if (!this._groups.has(group)) {
      const parent = document.createElementNS(SVG, "g");
      parent.classList.add(`pv-${group}`);
      this.svg.append(parent);
      this._groups.set(group, parent);
    }
    const parent = this._groups.get(group);
    parent.replaceChildren();
    this._boxes.set(group, boxes.map((box) => {
      const shadow = document.createElementNS(SVG, "rect");
      const line = document.createElementNS(SVG, "rect");
      shadow.classList.add("pv-shadow");
      line.classList.add("pv-line");
      const parts = [shadow, line];
      if (box.label) {
        const label = document.createElementNS(SVG, "text");
        label.textContent = box.label;
        parts.push(label);
      }
      for (const part of parts) if (box.className) part.classList.add(box.className);
      parent.append(...parts);
      return { box, parts };
    }));
    this._position(group);
  }

  /** Move everything to where the picture lies now; `ratio` is device pixels for each CSS pixel. */
  moved(place, ratio) {
    this._place = place;
    this._ratio = ratio;
    for (const group of this._boxes.keys()) this._position(group);
  }

  /** Show the line between before and after at a column of the stage (device pixels); null hides it. */
  divide(column) {
    if (!this._divider) {
      this._divider = document.createElementNS(SVG, "g");
      this._divider.classList.add("pv-divider");
      const lines = ["pv-shadow", "pv-line"].map((name) => {
        const line = document.createElementNS(SVG, "line");
        line.classList.add(name);
        line.setAttribute("y1", "0");
        line.setAttribute("y2", "100%");
        return line;
      });
      this._divider.append(...lines);
      this.svg.append(this._divider);
    }
    this._divider.toggleAttribute("hidden", column === null);
    for (const line of column === null ? [] : this._divider.children) {
      for (const end of ["x1", "x2"]) line.setAttribute(end, column / this._ratio);
    }
  }

  _position(group) {
    const { magnification, left, top } = this._place;
    const scale = magnification / this._ratio;
    const labels = [];
    for (const { box, parts } of this._boxes.get(group)) {
      const x = left / this._ratio + box.x * scale;
      const y = top / this._ratio + box.y * scale;
      for (const part of parts) {
        part.setAttribute("x", part.tagName === "text" ? x + 4 : x);
        part.setAttribute("y", part.tagName === "text" ? y + 15 + LINE * (box.line ?? 0) : y);
        if (part.tagName === "text") {
          labels.push({ part, words: [box.label], x, y: y + LINE * (box.line ?? 0) });
          continue;
        }
        part.setAttribute("width", box.width * scale);
        part.setAttribute("height", box.height * scale);
      }
    }
    withoutOverlap(labels);
  }
}
