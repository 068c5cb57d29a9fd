// The decisions that a shot's page offers: plain forms, which this module opens, fills with the marks that were drawn, and
// sends. What counts is checked by the server.

/** Choices by which a picture goes to the client. */
const APPROVALS = ["approve", "sign off"];

export class Offers {
  /**
   * `root` has the page's buttons and forms; `marks()` returns what was drawn; `isSeen()` whether the picture has stood on the
   * screen; `send(event, form, submitter)` sends a decision.
   */
  constructor(root, { marks, isSeen, send }) {
    this._marks = marks;
    this._isSeen = isSeen;
    this._send = send;
    this._buttons = [...root.querySelectorAll("button.offer")];
    this._panels = [...root.querySelectorAll("form.panel")];
    this._buttons.forEach((button, index) => button.addEventListener("click", () => {
      const panel = this._panels[index];
      this.open(this.opened === panel ? null : panel);
    }));
    for (const panel of this._panels) {
      panel.querySelector("h2").tabIndex = -1;
      panel.addEventListener("submit", (event) => this._submitted(event, panel));
    }
  }

  /** The form that is open; undefined if none is. */
  get opened() {
    return this._panels.find((panel) => !panel.hidden);
  }

  open(panel) {
    for (const one of this._panels) one.hidden = one !== panel;
    this._buttons.forEach((button, index) => button.setAttribute("aria-expanded", String(this._panels[index] === panel)));
    if (!panel) return;
    panel.scrollIntoView({ block: "nearest" });
    // Not the note: a number that is meant as the reason would land in it.
    (panel.querySelector("input[name=new_name]") ?? panel.querySelector("h2")).focus();
  }

  /** Do what a key means (its name in small letters); return whether it means anything. `asks`: open the form in any case. */
  key(name, { asks }) {
    const { opened } = this;
    if (opened && /^[1-9]$/.test(name)) {
      const chip = opened.querySelector(`button[data-number="${name}"]`);
      if (chip) opened.requestSubmit(chip);
      return Boolean(chip);
    }
    if (opened && name === "n") return opened.querySelector("textarea").focus(), true;
    if (opened && name === "Escape") return this.open(null), true;
    const index = this._buttons.findIndex((button) => button.dataset.decide === name);
    if (index < 0) return false;
    const { atOnce } = this._panels[index].dataset;
    if (atOnce && !asks && !opened) this._choose(this._panels[index], atOnce);
    else this.open(this._panels[index]);
    return true;
  }

  _choose(panel, reason) {
    const chip = [...panel.querySelectorAll("button[name=reason]")].find((one) => one.value === reason);
    if (chip) panel.requestSubmit(chip);
  }

  _submitted(event, panel) {
    const { submitter } = event;
    const clicked = submitter === document.activeElement;
    if (!submitter?.value || !this._prepare(panel, submitter.value, { clicked })) event.preventDefault();
    else this._send(event, panel, submitter);
  }

  _prepare(panel, reason, { clicked }) {
    const lack = this._lacks(panel) ?? (reason === "other" && !panel.querySelector("textarea").value.trim()
      ? [panel.querySelector("textarea"), "The reason 'other' needs a note (N)."] : null);
    if (lack) {
      if (panel.hidden) this.open(panel);
      panel.querySelector(".hint").textContent = lack[1];
      if (clicked) lack[0].focus(); // not after a key: the next one would land in the field
      return false;
    }
    panel.querySelector("input[name=marks]").value = JSON.stringify(this._marks());
    return true;
  }

  _lacks(panel) {
    if (APPROVALS.includes(panel.querySelector("input[name=choice]").value) && !this._isSeen())
      return [panel.querySelector("h2"), "The picture is not on the screen yet, or not all of it. Approve it when you have seen it."];
    const note = panel.querySelector("textarea").value.trim();
    const edited = panel.querySelector("input[name=edited_by]");
    if (edited && edited.value.trim().length < 2) return [edited, "Say whose work it is."];
    const corrected = [...panel.querySelectorAll("input[name^=new_]")];
    if (corrected.length && !corrected.some((one) => one.value.trim()))
      return [corrected[0], "Give the correct name, or the services that are meant."];
    if (panel.dataset.needsWords === "words" && !note)
      return [panel.querySelector("textarea"), "Say what the client is told (N)."];
    if (panel.dataset.needsWords && !note && !this._marks().length)
      return [panel.querySelector("textarea"), "Say what is to be done (N), or draw marks."];
    return null;
  }
}
