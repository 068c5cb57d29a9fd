/* The buttons around the picture. Each is a real button, reached by Tab, whose state is told by aria-pressed. */

/** Return an element with attributes and children; `on` is what a click does. */
export function element(name, { on, ...attributes } = {}, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  if (on) made.addEventListener("click", on);
  made.append(...children);
  return made;
}

/** A named group of buttons. */
export class Group {
  constructor(label) {
    this.element = element("div", { class: "pv-group", role: "group", "aria-label": label });
    this._buttons = new Map();
  }

  add(name, text, label, on) {
    // Whoever speaks to the page says what stands on the button: the name begins with it, if it does not hold it.
    const said = new RegExp(`(^|\\W)${text}($|\\W)`, "i").test(label) ? label : `${text}: ${label}`;
    const button = element("button", { type: "button", "aria-label": said, title: label, "aria-pressed": "false", on }, text);
    this._buttons.set(name, button);
    this.element.append(button);
    return button;
  }

  /** Show as pressed those whose names are given, and only those. */
  press(...names) {
    for (const [name, button] of this._buttons) button.setAttribute("aria-pressed", String(names.includes(name)));
  }

  /** Let all buttons be used, or none. */
  enable(isUsable) {
    for (const button of this._buttons.values()) button.disabled = !isUsable;
  }

  button(name) {
    return this._buttons.get(name);
  }

  get isEmpty() {
    return this._buttons.size === 0;
  }
}
