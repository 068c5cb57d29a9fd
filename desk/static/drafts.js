// What somebody has typed, chosen and drawn on a page and not sent yet. The browser's tab keeps it until the server has taken
// it, so an answer that refuses it, or that never comes, costs nobody a word or a mark.

const DRAFT = "packshot-draft ";
const SENT = "packshot-sent";
const MOST = 40;

/** Return the tab's own memory; null where the browser gives none. */
function memory() {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

function read(key) {
  try {
    return JSON.parse(memory()?.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

function write(key, value) {
  try {
    memory()?.setItem(key, JSON.stringify(value));
  } catch {
    // it is full or forbidden: the page still has everything, until it is left
  }
}

const drafts = () => Object.keys(memory() ?? {}).filter((key) => key.startsWith(DRAFT));
const isChoice = (field) => ["radio", "checkbox"].includes(field.type);
const fieldsOf = (form) =>
  [...form.elements].filter((one) => one.name && (one.matches("textarea, select") || ["text", "search"].includes(one.type) || isChoice(one)));

/** Forget all drafts: somebody else may use this tab next. */
export function forgetAll() {
  for (const key of [...drafts(), SENT]) memory()?.removeItem(key);
}

/** The draft that was sent last is one that was not sent: it was taken back. */
export function takenBack() {
  const last = read(SENT);
  if (last) write(DRAFT + last.name, last.draft);
  memory()?.removeItem(SENT);
}

export class Draft {
  /**
   * `name`: whose it is, and about which picture; `forms`: those that are kept; `viewer()`: where marks are drawn, or undefined;
   * `viewerCame`: a promise of it, or null. A form may bring marks back from the server, in its field "marks".
   */
  constructor(name, forms, { viewer, viewerCame }) {
    this._key = DRAFT + name;
    this._name = name;
    this._forms = forms;
    this._viewer = viewer;
    this._hasMarks = false;
    const kept = read(this._key);
    this._marks = kept?.marks ?? this._marksFromServer();
    /** Whether there was something to give back. */
    this.isBack = Boolean(kept) && (this._giveBack(kept.forms) || this._marks.length > 0);
    for (const form of forms) for (const kind of ["input", "change"]) form.addEventListener(kind, () => this.keep());
    for (const form of forms) for (const field of fieldsOf(form)) if (!form.contains(field)) field.addEventListener("change", () => this.keep());
    viewerCame?.then((came) => this._draw(came)).catch(() => {});
  }

  /** The marks of this page: those on the picture, or those that will stand on it when it has come. */
  get marks() {
    return this._hasMarks ? (this._viewer()?.marks() ?? this._marks) : this._marks;
  }

  /** Keep what stands on the page now. */
  keep() {
    if (!this._forms.length) return;
    this._marks = this.marks;
    const forms = this._forms.map((form) => fieldsOf(form).map((one) => [one.name, one.value, Boolean(one.checked)]));
    write(this._key, { at: Date.now(), forms, marks: this._marks });
    const age = (key) => read(key)?.at ?? 0;
    for (const key of drafts().sort((one, other) => age(other) - age(one)).slice(MOST)) memory()?.removeItem(key);
  }

  /** The server has taken it. */
  sent() {
    const draft = read(this._key);
    memory()?.removeItem(this._key);
    memory()?.removeItem(SENT);
    if (draft) write(SENT, { name: this._name, draft });
  }

  async _draw(viewer) {
    if (this._marks.length && !viewer.marks().length) await viewer.drawAgain(this._marks);
    this._hasMarks = true;
  }

  /** Put what was kept into the fields; return whether that changed anything. */
  _giveBack(kept) {
    let changed = false;
    this._forms.forEach((form, index) => {
      for (const [name, value, checked] of kept[index] ?? [])
        for (const field of fieldsOf(form).filter((one) => one.name === name)) {
          const what = isChoice(field) ? "checked" : "value";
          if (isChoice(field) && field.value !== value) continue;
          const to = isChoice(field) ? checked : value;
          changed ||= field[what] !== to;
          field[what] = to;
        }
    });
    return changed;
  }

  _marksFromServer() {
    for (const form of this._forms) {
      try {
        const marks = JSON.parse(form.querySelector("input[name=marks]")?.value || "[]");
        if (marks.length) return marks;
      } catch {
        // it is none of the page's own
      }
    }
    return [];
  }
}
