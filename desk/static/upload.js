// An editor's finished picture: sent in parts straight to the storage. What broke off goes on when the file is chosen again.

const TRIES = 3;
const AT_ONCE = 2;
const BROKE_OFF = "The connection broke off. Choose the file again: it goes on where it stopped.";
const csrf = document.querySelector('meta[name="csrf"]').content;
const shot = document.querySelector(".shot").dataset.shot;
const drop = document.getElementById("drop");
const input = document.getElementById("file");
const bar = document.getElementById("sent");
const status = document.getElementById("upload");
let busy = false;
status.textContent = "";

async function ask(what, fields = {}) {
  const answer = await fetch(`/shots/${shot}/job/${what}`, {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new URLSearchParams({ csrf, ...fields }),
  }).catch(() => null);
  const text = await answer?.text().catch(() => null);
  let said = answer ? "The desk did not take it. Load the page again." : BROKE_OFF;
  try {
    const told = JSON.parse(text);
    if (answer.ok && told) return told;
    said = told.said ?? said;
  } catch {
    if (text && !answer.ok) said = new DOMParser().parseFromString(text, "text/html").querySelector("h1")?.textContent ?? said;
  }
  throw new Error(said);
}

async function put(link, part) {
  for (let tried = 1; ; tried += 1) {
    const answer = await fetch(link, { method: "PUT", body: part }).catch(() => null);
    if (answer?.ok) return;
    if (tried === TRIES) throw new Error(BROKE_OFF);
    await new Promise((resolve) => setTimeout(resolve, 500 * tried));
  }
}

async function send(file) {
  const { part_bytes: size, parts, links } = await ask("upload", { name: file.name, size: file.size, changed: file.lastModified });
  const left = Object.entries(links);
  let there = parts - left.length;
  const show = () => {
    bar.hidden = false;
    bar.max = parts;
    bar.value = there;
    status.textContent = `${file.name}: ${there} of ${parts} parts have arrived.`;
  };
  show();
  const line = async () => {
    for (let next = left.shift(); next; next = left.shift()) {
      const [number, link] = next;
      await put(link, file.slice((number - 1) * size, number * size));
      there += 1;
      show();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, line));
  status.textContent = `${file.name} has arrived. The machine checks it …`;
  await ask("check");
}

async function bring(file) {
  if (!file || busy) return;
  busy = true;
  try {
    await send(file);
    location.reload();
  } catch (error) {
    status.textContent = error.message;
    input.value = "";
    busy = false;
  }
}

input.addEventListener("change", () => bring(input.files[0]));
for (const kind of ["dragover", "dragleave", "drop"])
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", kind === "dragover");
    if (kind === "drop") bring(event.dataTransfer.files[0]);
  });
window.addEventListener("beforeunload", (event) => busy && status.textContent.includes("parts") && event.preventDefault());
