// Keys and small comforts of the desk's pages. Decisions are plain forms: this module opens them, fills in the marks
// that were drawn, and sends them; what counts is checked by the server.

const csrf = document.querySelector('meta[name="csrf"]')?.content ?? "";
const shot = document.querySelector(".shot");
const panels = [...document.querySelectorAll("form.panel")];
const offers = [...document.querySelectorAll("button.offer")];
const keys = document.getElementById("keys");
let sent = false;

const viewer = () => window.packshotViewer;
const opened = () => panels.find((panel) => !panel.hidden);
const writes = (element) =>
  element.matches?.("textarea, select, input:not([type=radio]):not([type=hidden])") && !element.matches(".side [type=checkbox]");

function post(address, fields = {}) {
  return fetch(address, { method: "POST", body: new URLSearchParams({ csrf, ...fields }), keepalive: true });
}

// --- deciding

function open(panel) {
  for (const one of panels) one.hidden = one !== panel;
  offers.forEach((offer, index) => offer.setAttribute("aria-expanded", String(panels[index] === panel)));
  if (!panel) return;
  panel.scrollIntoView({ block: "nearest" });
  // Not the note: a number that is meant as the reason would land in it.
  (panel.querySelector("input[name=new_name]") ?? panel.querySelector("h2")).focus();
}

function marks() {
  return viewer()?.marks?.() ?? [];
}

function lacks(panel) {
  const note = panel.querySelector("textarea").value.trim();
  const edited = panel.querySelector("input[name=edited_by]");
  if (edited && edited.value.trim().length < 2) return [edited, "Say whose work it is."];
  const corrected = [...panel.querySelectorAll("input[name^=new_]")];
  if (corrected.length && !corrected.some((one) => one.value.trim()))
    return [corrected[0], "Give the correct name, or the services that are meant."];
  if (panel.dataset.needsWords === "words" && !note)
    return [panel.querySelector("textarea"), "Say what the client is told (N)."];
  if (panel.dataset.needsWords && !note && !marks().length)
    return [panel.querySelector("textarea"), "Say what is to be done (N), or draw marks."];
  return null;
}

function prepare(panel, reason, { clicked }) {
  const lack = lacks(panel) ?? (reason === "other" && !panel.querySelector("textarea").value.trim()
    ? [panel.querySelector("textarea"), "The reason 'other' needs a note (N)."] : null);
  if (lack) {
    panel.querySelector(".hint").textContent = lack[1];
    if (clicked) lack[0].focus(); // not after a key: the next one would land in the field
    return false;
  }
  panel.querySelector("input[name=marks]").value = JSON.stringify(marks());
  return true;
}

for (const panel of panels) {
  panel.querySelector("h2").tabIndex = -1;
  panel.addEventListener("submit", (event) => {
    const { submitter } = event;
    const clicked = submitter === document.activeElement;
    if (sent || !submitter?.value || !prepare(panel, submitter.value, { clicked })) event.preventDefault();
    else say(sent = true);
  });
}
window.addEventListener("pageshow", () => say(sent = false));

function say(sending) {
  const line = document.getElementById("sending");
  if (line) line.textContent = sending ? "Sending …" : "";
}

offers.forEach((offer, index) => offer.addEventListener("click", () => {
  open(opened() === panels[index] ? null : panels[index]);
}));

function choose(panel, reason) {
  const chip = [...panel.querySelectorAll("button[name=reason]")].find((one) => one.value === reason);
  if (chip) panel.requestSubmit(chip);
}

// --- keys

function follow(name) {
  const link = [...document.querySelectorAll("a[data-key]")].find((one) => one.dataset.key === name);
  if (link) location.assign(link.href);
  return Boolean(link);
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
let zoomed = "fit";
let place = -1;

function nextPlace() {
  const count = JSON.parse(document.getElementById("viewer")?.dataset.findings ?? "[]").length;
  if (count) viewer()?.goTo((place = (place + 1) % count));
}

for (const button of document.querySelectorAll("button.place"))
  button.addEventListener("click", () => viewer()?.goTo((place = Number(button.dataset.place))));

document.getElementById("keys-open")?.addEventListener("click", () => keys.showModal());

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  if (keys?.open) return;
  const panel = opened();
  if (writes(event.target)) {
    const leaves = event.key === "Escape" || (event.key === "Enter" && !event.shiftKey && event.target.matches("textarea, .panel input"));
    if (leaves && panel) {
      event.preventDefault();
      panel.querySelector("h2").focus();
    }
    return;
  }
  if (handled(event, panel)) event.preventDefault();
});

function handled(event, panel) {
  const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (name === "?" && keys) return keys.showModal(), true;
  if (panel && /^[1-9]$/.test(name)) {
    const chip = panel.querySelector(`button[data-number="${name}"]`);
    if (chip) panel.requestSubmit(chip);
    return Boolean(chip);
  }
  if (panel && name === "n") return panel.querySelector("textarea").focus(), true;
  if (panel && name === "Escape") return open(null), true;
  if (name === "u" && document.getElementById("undo")) return document.getElementById("undo").requestSubmit(), true;
  const form = document.querySelector(`form[data-submit="${CSS.escape(name)}"]`);
  if (form && document.querySelector(`button[form="${form.id}"], #${form.id} button`)) return form.requestSubmit(), true;
  const index = offers.findIndex((offer) => offer.dataset.decide === name);
  if (index >= 0) {
    const atOnce = panels[index].dataset.atOnce;
    if (atOnce && !event.shiftKey && !panel) choose(panels[index], atOnce);
    else open(panels[index]);
    return true;
  }
  if (shot && looks[name] && viewer()) return looks[name](), true;
  if (name === "Enter" && event.target !== document.body) return false;
  return follow(name);
}

// --- what goes on by itself

// Somebody is there if a key, the pointer or the wheel was used since the last renewal: an open tab alone keeps nothing.
let present = true;
for (const kind of ["keydown", "pointerdown", "pointermove", "wheel"])
  window.addEventListener(kind, () => (present = true), { passive: true });

async function renew() {
  if (!present) return;
  present = false;
  const answer = await post(`/shots/${shot.dataset.shot}/claim`).catch(() => null);
  const lost = document.getElementById("lost");
  if (answer?.status === 401) lost.textContent = "You are signed out. A decision leads to the sign-in, and back here.";
  else if (answer?.ok) {
    const { holder } = await answer.json();
    lost.textContent = holder === shot.dataset.claimed ? "" : `${holder} has this shot open now.`;
  }
  lost.hidden = !lost.textContent;
}
if (shot?.dataset.claimed) {
  setInterval(renew, 60_000);
  window.addEventListener("pagehide", () => post(`/shots/${shot.dataset.shot}/leave`));
}

// Only what stood on the screen, all of it loaded, can later be approved together with others.
async function tellSeen() {
  while (!viewer()) await new Promise((resolve) => setTimeout(resolve, 100));
  await viewer().whenSharp();
  await post(`/shots/${shot.dataset.shot}/seen`, { picture: shot.dataset.picture });
}
if (shot?.dataset.claimed && document.querySelector('script[src$="/viewer.js"]')) tellSeen().catch(() => {});

document.getElementById("all-seen")?.addEventListener("click", () => {
  for (const box of document.querySelectorAll("input[type=checkbox]:not(:disabled)")) box.checked = true;
});

const left = document.querySelector("[data-left]");
if (left) {
  const until = performance.now() + 1000 * Number(left.dataset.left);
  const timer = setInterval(() => {
    const seconds = Math.max(0, Math.round((until - performance.now()) / 1000));
    left.textContent = String(seconds);
    if (!seconds) {
      clearInterval(timer);
      document.getElementById("undo").hidden = true;
    }
  }, 1000);
}

if (document.querySelector("[data-reload]")) setTimeout(() => location.reload(), 2000);
else if (csrf)
  setInterval(async () => {
    if (document.hidden) return;
    const answer = await fetch("/counts").catch(() => null);
    if (!answer?.ok) return;
    const { lists, stale } = await answer.json();
    const old = document.getElementById("stale");
    if (old.textContent !== stale) old.textContent = stale;
    old.hidden = !stale;
    for (const [name, count] of Object.entries(lists)) {
      const shown = document.querySelector(`[data-count="${name}"]`);
      if (shown) shown.textContent = String(count);
    }
  }, 10_000);
