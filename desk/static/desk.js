// Keys and small comforts of the desk's pages, and the change to the next shot: its page takes the last one's place without
// a new load, if it is ready (ahead.js) and the server says that the shot still stands as it shows.

import { Ahead, parsed, runsHere } from "./ahead.js";
import { Offers } from "./deciding.js";
import { Draft, forgetAll, takenBack } from "./drafts.js";

const csrf = document.querySelector('meta[name="csrf"]')?.content ?? "";
const main = document.getElementById("main");
const JSON_ONLY = { accept: "application/json" };
const TOLD = "desk-told";
/** So long a page waits for the answer to a decision, and for a next page that is on its way. */
const ANSWER_MS = 20_000;
const NEXT_MS = 6_000;
const AWAY = "The desk does not answer. What stands here may be out of date.";
let shot, keys, offers, draft, ahead, zoomed, place, ticking, seen;
let sent = false;
let asPage = false;
let at = location.pathname + location.search;

const viewer = () => window.packshotViewer;
const hasViewer = () => Boolean(shot && document.querySelector('script[src$="/viewer.js"]'));
const writes = (element) =>
  element.matches?.("textarea, select, input:not([type=radio]):not([type=hidden])") && !element.matches(".side [type=checkbox]");

function post(address, fields = {}) {
  return fetch(address, { method: "POST", body: new URLSearchParams({ csrf, ...fields }), keepalive: true });
}

/** Return {status, text} of the answer to a post; null if none came in time, or only a part of it. */
async function answered(address, body, { headers = {}, within = ANSWER_MS } = {}) {
  const options = { method: "POST", body, headers, keepalive: true, signal: AbortSignal.timeout(within) };
  try {
    const answer = await fetch(address, options);
    return { status: answer.status, text: await answer.text() };
  } catch {
    return null;
  }
}

/** Return what an answer says as JSON; null if it is none, or says that something is wrong. */
function saidIn(answer) {
  try {
    return answer?.status === 200 ? JSON.parse(answer.text) : null;
  } catch {
    return null;
  }
}

/** Return what is promised, or null if it takes too long or fails. */
function soon(promise) {
  return Promise.race([promise.catch(() => null), new Promise((resolve) => setTimeout(resolve, NEXT_MS, null))]);
}

/** Wait for the viewer of the shot that is on the screen; the module that makes it may come later than this one. */
async function theViewer() {
  while (!viewer()) await new Promise((resolve) => setTimeout(resolve, 20));
  return viewer();
}

// --- a shot on the screen

/** What stands in `main` is new. */
function begin() {
  shot = main.querySelector(".shot");
  keys = document.getElementById("keys");
  seen = null;
  draft = draftOf(main);
  offers = new Offers(main, { marks: () => draft.marks, isSeen: () => seen === shot, send });
  if (draft.isBack && !main.querySelector("[role=alert].bad")) document.getElementById("unsent").hidden = false;
  zoomed = "fit";
  place = -1;
  for (const button of main.querySelectorAll("button.place"))
    button.addEventListener("click", () => viewer()?.goTo((place = Number(button.dataset.place))));
  document.getElementById("keys-open")?.addEventListener("click", () => keys.showModal());
  countDown();
  lookedAt(shot).catch(() => {});
  next(shot?.dataset.next);
}

/** What the person writes and draws about this shot, by person and picture: another picture needs other words. */
function draftOf(root) {
  const forms = [...root.querySelectorAll("form.panel, #hand-in")];
  const name = [document.querySelector(".who span")?.title, shot?.dataset.shot, shot?.dataset.picture].join(" ");
  const one = shot;
  const came = () => theViewer().then((shown) => (one === shot ? shown : Promise.reject(new Error("another shot has come"))));
  return new Draft(name, forms, { viewer, viewerCame: forms.length && hasViewer() ? came() : null });
}
document.addEventListener("packshot-marks", () => draft?.keep());

/** Have the shot at an address ready: its page at once, its pictures as soon as those on the screen are sharp. */
function next(address) {
  if (ahead?.address === address) return;
  ahead?.leave();
  ahead = address ? new Ahead(address) : null;
  const one = ahead;
  if (one && hasViewer())
    theViewer().then((shown) => shown.whenSharp()).then(() => one.makeReady()).catch(() => {});
}

/** Show the shot of which the server says how it stands now; load its page where it isn't ready. */
async function arrive(told) {
  if (told.shot && ahead?.address !== told.address) next(told.address);
  const page = told.shot ? await soon(ahead.pageFor(told)) : null;
  if (!page) {
    sessionStorage.setItem(TOLD, told.notices ?? "");
    location.assign(told.to);
    return;
  }
  const [taken, old] = [ahead, viewer()];
  ahead = null;
  show(page, taken);
  taken.leave();
  old?.leave();
  document.querySelector(".notices").replaceWith(parsed(told.notices).querySelector(".notices"));
  main.querySelector(".way").replaceWith(parsed(told.way).querySelector(".way"));
  shot.dataset.next = told.following;
  for (const [name, count] of Object.entries(told.lists)) counted(name, count);
  history.pushState(null, "", told.address);
  at = location.pathname + location.search;
  begin();
}

/** Put a page in place of the one on the screen. `taken` may have its viewer ready. */
function show(page, taken = null) {
  document.title = page.title;
  main.replaceChildren(...page.getElementById("main").childNodes);
  const element = document.getElementById("viewer");
  window.packshotViewer = (element && taken?.takePlace(element)) || undefined;
  if (element && !viewer())
    import("./viewer/viewer.js").then(({ viewerIn }) => {
      if (element.isConnected) window.packshotViewer ??= viewerIn(element).api();
    }).catch(() => {}); // the words that stand there say it
  const head = main.querySelector("h1");
  head.tabIndex = -1;
  head.focus({ preventScroll: true });
  sending(false);
  window.dispatchEvent(new Event("packshot-arrived"));
}

/** Show the server's page that says why a decision did not count; the picture on the screen stays, with its marks. */
function refused(page) {
  const [old, element] = [viewer(), document.getElementById("viewer")];
  const same = page.getElementById("viewer");
  ahead?.leave();
  ahead = null;
  if (same && element && same.dataset.kinds === element.dataset.kinds) {
    same.replaceWith(element);
    show(page, { takePlace: () => old });
  } else {
    show(page);
    old?.leave();
  }
  begin();
}

window.addEventListener("popstate", () => {
  if (location.pathname + location.search !== at) location.reload();
});

// --- deciding

function sending(now, words = now ? "Sending …" : "") {
  sent = now;
  const line = document.getElementById("sending");
  if (line) line.textContent = words;
}
window.addEventListener("pageshow", () => sending(false));

/** Send a decision, and show the next shot when the server has taken it. */
async function send(event, form, submitter) {
  if (sent && !asPage) return event.preventDefault();
  sending(true);
  if (asPage) return undefined; // the browser's own way, with a new page
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, submitter));
  const answer = await answered(form.action, body, { headers: JSON_ONLY });
  const told = saidIn(answer);
  if (told) {
    draft.sent();
    return arrive(told);
  }
  const page = answer?.status === 409 ? parsed(answer.text) : null;
  if (page && runsHere(page)) return refused(page);
  const isPage = answer?.status === 200 && answer.text.trimStart().startsWith("<"); // a proxy's sign-in
  if (!answer || answer.status >= 500 || (answer.status === 200 && !isPage)) {
    const why = answer?.status >= 500 ? `The desk answered with an error (${answer.status})` : "The desk did not answer";
    return sending(false, `${why}, so it is not known whether the decision arrived. Decide the same again: it counts once. If that does not help, load the page again.`);
  }
  asPage = true; // it leads to the sign-in, or says what is wrong
  return form.requestSubmit(submitter);
}

// --- keys

/** Follow the link that has a key. The next shot is shown at once if it is ready. */
function follow(name) {
  const link = [...document.querySelectorAll("a[data-key]")].find((one) => one.dataset.key === name);
  if (!link) return false;
  if (shot && ahead && new URL(ahead.address, location.href).href === link.href) go(ahead.address).catch(() => {});
  else location.assign(link.href);
  return true;
}

async function go(address) {
  if (sent) return;
  sent = true;
  const [path, query] = address.split("?");
  const body = new URLSearchParams({ csrf });
  const told = saidIn(await answered(`${path}/arrive${query ? `?${query}` : ""}`, body, { within: NEXT_MS }));
  if (told) await arrive({ to: address, ...told });
  else location.assign(address);
}

const looks = {
  z: () => viewer()?.zoom(zoomed = zoomed === 1 ? "fit" : 1),
  2: () => viewer()?.zoom(zoomed = 2),
  4: () => viewer()?.zoom(zoomed = 4),
  b: () => viewer()?.toggleBefore(),
  o: () => viewer()?.nextOverlay(),
  f: () => nextPlace(),
  w: () => viewer()?.surround("white"),
  g: () => viewer()?.surround("grey"),
  d: () => viewer()?.surround("black"),
};

function nextPlace() {
  const count = JSON.parse(document.getElementById("viewer")?.dataset.findings ?? "[]").length;
  if (count) viewer()?.goTo((place = (place + 1) % count));
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  if (keys?.open) return;
  const panel = offers.opened;
  if (writes(event.target)) {
    const leaves = event.key === "Escape" || (event.key === "Enter" && !event.shiftKey && event.target.matches("textarea, .panel input"));
    if (leaves && panel) {
      event.preventDefault();
      panel.querySelector("h2").focus();
    }
    return;
  }
  if (handled(event)) event.preventDefault();
});

function handled(event) {
  const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (name === "?" && keys) return keys.showModal(), true;
  if (offers.opened && offers.key(name, { asks: event.shiftKey })) return true;
  if (name === "u" && document.getElementById("undo")) return document.getElementById("undo").requestSubmit(), true;
  const form = document.querySelector(`form[data-submit="${CSS.escape(name)}"]`);
  if (form && document.querySelector(`button[form="${form.id}"], #${form.id} button`)) return form.requestSubmit(), true;
  if (offers.key(name, { asks: event.shiftKey })) return true;
  if (shot && looks[name] && viewer()) return looks[name](), true;
  if (name === "Enter" && event.target !== document.body && event.target.tagName !== "H1") return false;
  return follow(name);
}

// --- what goes on by itself

// Somebody is there if a key, the pointer or the wheel was used since the last renewal: an open tab alone keeps nothing.
let present = true;
for (const kind of ["keydown", "pointerdown", "pointermove", "wheel"])
  window.addEventListener(kind, () => (present = true), { passive: true });

async function renew() {
  if (!present || !shot?.dataset.claimed) return;
  present = false;
  const [renewed, lost] = [shot, document.getElementById("lost")];
  const answer = await post(`/shots/${renewed.dataset.shot}/claim`).catch(() => null);
  if (renewed !== shot) return;
  if (answer?.status === 401) lost.textContent = "You are signed out. A decision leads to the sign-in, and back here.";
  else if (answer?.ok) {
    const { holder } = await answer.json();
    lost.textContent = holder === renewed.dataset.claimed ? "" : `${holder} has this shot open now.`;
  }
  lost.hidden = !lost.textContent;
}
setInterval(renew, 60_000);
window.addEventListener("pagehide", () => {
  if (shot?.dataset.claimed) post(`/shots/${shot.dataset.shot}/leave`);
});

/** Wait until a shot's picture stands on the screen, all of it. Only then it can be approved, alone or later with others. */
async function lookedAt(one) {
  if (!hasViewer()) return void (seen = one);
  await (await theViewer()).whenSharp();
  if (one !== shot) return;
  seen = one;
  if (one.dataset.claimed) await post(`/shots/${one.dataset.shot}/seen`, { picture: one.dataset.picture });
}

// A link that is to be copied: all of it is selected at once.
document.addEventListener("focusin", ({ target }) => target.matches("input[readonly]") && target.select());

document.getElementById("all-seen")?.addEventListener("click", () => {
  for (const box of document.querySelectorAll("input[type=checkbox]:not(:disabled)")) box.checked = true;
});

/** Count the seconds down for which the last decision can be taken back. */
function countDown() {
  clearInterval(ticking);
  const left = document.querySelector("[data-left]");
  if (!left) return;
  const until = performance.now() + 1000 * Number(left.dataset.left);
  ticking = setInterval(() => {
    const seconds = Math.max(0, Math.round((until - performance.now()) / 1000));
    left.textContent = String(seconds);
    if (seconds) return;
    clearInterval(ticking);
    document.getElementById("undo").hidden = true;
  }, 1000);
}

function counted(name, count) {
  const shown = document.querySelector(`[data-count="${name}"]`);
  if (shown) shown.textContent = String(count);
}

/** The server tells each message once. Those that came for a page that was then loaded as a whole are shown here. */
function tellAgain() {
  const told = parsed(sessionStorage.getItem(TOLD) ?? "").querySelectorAll("[role=alert]");
  document.querySelector(".notices")?.append(...told);
  sessionStorage.removeItem(TOLD);
}

document.addEventListener("submit", (event) => {
  if (event.target.matches(".who")) forgetAll();
  if (event.target.id !== "undo") return;
  takenBack();
  if (event.target.dataset.sent) event.preventDefault(); // a second one would say that there is nothing to take back
  event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => delete document.getElementById("undo")?.dataset.sent);

tellAgain();
begin();
sending(false);

if (document.querySelector("[data-reload]")) setTimeout(() => location.reload(), 2000);
else if (csrf)
  setInterval(async () => {
    if (document.hidden) return;
    const answer = await fetch("/counts", { signal: AbortSignal.timeout(ANSWER_MS) }).catch(() => null);
    if (answer && !answer.ok && answer.status < 500) return;
    const told = answer?.ok ? await answer.json().catch(() => null) : null;
    const { lists, stale } = told ?? { lists: {}, stale: AWAY };
    const old = document.getElementById("stale");
    if (old.textContent !== stale) old.textContent = stale;
    old.hidden = !stale;
    for (const [name, count] of Object.entries(lists)) counted(name, count);
  }, 10_000);
