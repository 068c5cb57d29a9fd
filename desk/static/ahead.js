// The next shot, ready before its turn comes: its page, and a viewer in which its pictures are sharp. Nothing is claimed and
// nothing counts as seen by that. Before the shot is shown, the server says whether the page still is as the shot stands.

const VIEWER = 'script[src$="/viewer.js"]';

/** Return the addresses of a page's own scripts; the viewer's engine is none, it comes later. */
function scriptsOf(page) {
  return [...page.querySelectorAll("script[type=module]")].map((one) => one.getAttribute("src")).join(" ");
}

/** Return a page's text as a document. */
export function parsed(text) {
  return new DOMParser().parseFromString(text, "text/html");
}

/** Return whether a page needs the scripts of this one and no others: only then it can take this one's place. */
export function runsHere(page) {
  return scriptsOf(page) === scriptsOf(document);
}

export class Ahead {
  /** Fetch the page of the shot at `address`. */
  constructor(address) {
    this.address = address;
    this._isGone = false;
    this._viewer = this._place = null;
    this.page = this._fetched();
  }

  /** Have the shot's pictures sharp, in a place that is like the one of the picture on the screen, but not seen. */
  async makeReady() {
    const page = await this.page;
    const there = page?.getElementById("viewer");
    if (!there || this._isGone || !document.querySelector(VIEWER)) return;
    const { addressOf, makeAhead } = await import("./viewer/pictures.js");
    const pictures = Object.entries(JSON.parse(there.dataset.kinds));
    const made = await Promise.all(pictures.map(([kind, digest]) => makeAhead(addressOf(there.dataset.shot, kind, digest))));
    if (!made.every(Boolean)) return; // what people look at comes first
    const { viewerIn } = await import("./viewer/viewer.js");
    const room = document.getElementById("viewer")?.parentElement;
    if (this._isGone || !room) return;
    this._place = document.importNode(there, true);
    this._place.removeAttribute("id");
    this._place.className = "ahead";
    this._place.inert = true;
    room.append(this._place);
    this._viewer = viewerIn(this._place, { ahead: true }).api();
  }

  /** Return the page if it may take this one's place: it was made from what the server says of the shot now; else null. */
  async pageFor({ standing, claimed }) {
    const page = await this.page;
    const shot = page?.querySelector(".shot");
    return shot?.dataset.standing === standing && shot.dataset.claimed === claimed && runsHere(page) ? page : null;
  }

  /** Put the viewer that is ready in place of the page's element, which is in the document by now, and return it; else null. */
  takePlace(element) {
    this._isGone = true;
    if (!this._viewer?.isWell()) return null;
    this._place.id = element.id;
    this._place.className = element.className;
    this._place.inert = false;
    element.replaceWith(this._place);
    this._viewer.arrive();
    const viewer = this._viewer;
    this._viewer = this._place = null;
    return viewer;
  }

  /** Give everything back: another shot is next. */
  leave() {
    this._isGone = true;
    this._viewer?.leave();
    this._place?.remove();
    this._viewer = this._place = null;
  }

  async _fetched() {
    const [path, query] = this.address.split("?");
    try {
      const answer = await fetch(`${path}/ahead${query ? `?${query}` : ""}`, { priority: "low" });
      return answer.status === 200 && !answer.redirected ? parsed(await answer.text()) : null;
    } catch {
      return null; // it is loaded when its turn comes
    }
  }
}
