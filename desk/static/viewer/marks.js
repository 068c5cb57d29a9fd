/* Marks for an editor: rectangles drawn on the picture with the mouse or the keyboard. And the cursor: one pixel that the
   arrow keys move, whose values are read out. */

/** A smaller mark is taken for a click and widened to this, in pixels of the picture. */
const LEAST = 16;
const FAST = 10;
/** As many as the line takes with one decision (`MOST_MARKS`). */
const MOST = 50;

/** The mark between two pixels, whole and within the picture. */
function between(one, other, picture) {
  const left = Math.min(one.x, other.x);
  const top = Math.min(one.y, other.y);
  const width = Math.abs(one.x - other.x) + 1;
  const height = Math.abs(one.y - other.y) + 1;
  const widen = (start, length, most) => {
    const wide = Math.min(Math.max(length, LEAST), most);
    return [Math.max(0, Math.min(Math.round(start - (wide - length) / 2), most - wide)), wide];
  };
  const [x, wide] = widen(left, width, picture.width);
  const [y, high] = widen(top, height, picture.height);
  return { x, y, width: wide, height: high };
}

/** The tool that aims at pixels; in drawing mode it makes marks. */
export class Aim {
  /** `changed` is called with what it did, in words, or "". */
  constructor(stage, { changed }) {
    this._stage = stage;
    this._changed = changed;
    this.marks = [];
    this.cursor = null;
    this.draws = false;
    this.corner = null;
  }

  /** Begin to aim, in the middle of what is seen; `draws` says whether marks are made. */
  start(draws) {
    this.draws = draws;
    this.corner = null;
    this.cursor = this._within(this._stage.middle);
    this._stage.use(this);
    this._changed(draws ? "Draw with the mouse; or arrow keys, Enter, arrow keys, Enter." : "");
  }

  stop() {
    this.draws = false;
    this.cursor = this.corner = null;
    this._stage.use(null);
    this._changed("");
  }

  get isOn() {
    return this.cursor !== null;
  }

  /** The mark that is being drawn; null if none is. */
  get drawing() {
    return this.corner && between(this.corner, this.cursor, this._stage.picture);
  }

  down(pixel) {
    this.cursor = this._within(pixel);
    if (this.draws) this.corner = this.cursor;
    this._changed("");
    return this.draws;
  }

  move(pixel) {
    this.cursor = this._within(pixel);
    this._changed("");
  }

  up() {
    if (this.corner) this._add();
  }

  /** Have these marks in place of all others: they were drawn before. */
  restore(marks) {
    this.marks = marks.slice(0, MOST).map(({ x, y, width, height }) => ({ x, y, width, height }));
    this._changed("");
  }

  remove(index) {
    this.marks.splice(index, 1);
    this._changed(`Mark ${index + 1} removed, ${this.marks.length} left.`);
  }

  key(event) {
    const step = event.shiftKey ? FAST : 1;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (moves[event.key]) {
      const [across, down] = moves[event.key];
      this.cursor = this._within({ x: this.cursor.x + across, y: this.cursor.y + down });
      this._stage.reveal(this.cursor);
      this._changed("");
    } else if (event.key === "Enter" && this.draws) {
      if (this.corner) this._add();
      else this._start();
    } else if (["Delete", "Backspace"].includes(event.key) && this.draws && this.marks.length) {
      this.remove(this.marks.length - 1);
    } else if (event.key === "Escape") {
      if (this.corner) this._forget();
      else this.stop();
    } else {
      return false;
    }
    return true;
  }

  _start() {
    this.corner = this.cursor;
    this._changed("One corner is set; move to the other one and press Enter.");
  }

  _forget() {
    this.corner = null;
    this._changed("This mark was given up.");
  }

  _add() {
    if (this.marks.length >= MOST) {
      this.corner = null;
      this._changed(`There are ${MOST} marks already; remove one first.`);
      return;
    }
    this.marks.push(this.drawing);
    this.corner = null;
    const { x, y, width, height } = this.marks.at(-1);
    this._changed(`Mark ${this.marks.length} at ${x}, ${y}, ${width} x ${height} px.`);
  }

  _within({ x, y }) {
    const { width, height } = this._stage.picture;
    return { x: Math.min(Math.max(x, 0), width - 1), y: Math.min(Math.max(y, 0), height - 1) };
  }
}
