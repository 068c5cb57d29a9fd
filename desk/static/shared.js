// A client's page of one picture: the places that were drawn go into the form, and what is missing is said at once. What was
// written and marked is kept until the picture was sent back. What counts is checked by the server.

import { Draft } from "./drafts.js";

const form = document.querySelector("#send-back form");
const place = document.getElementById("viewer");
const viewer = () => window.packshotViewer;

async function viewerCame() {
  while (!viewer()) await new Promise((resolve) => setTimeout(resolve, 20));
  return viewer();
}

function said(words) {
  form.querySelector(".hint").textContent = words;
  return words === "";
}

function complete() {
  const note = form.querySelector("textarea").value.trim();
  if (!note && form.querySelector("input[value=other]").checked) return said("Say in words what the fault is.");
  if (!note && !draft.marks.length) return said("Say what is wrong, in words or by a mark on the picture.");
  return said("");
}

const draft = new Draft(place.dataset.base, form ? [form] : [], { viewer, viewerCame: form ? viewerCame() : null });
if (place.dataset.sentBack) draft.sent();

if (form) {
  const marked = document.getElementById("marked");
  form.querySelector(".where").hidden = false; // without this script nothing that is drawn would be sent
  place.addEventListener("packshot-marks", ({ detail }) => {
    marked.textContent = ["No place is marked.", "1 place is marked."][detail.length] ?? `${detail.length} places are marked.`;
    draft.keep();
  });
  if (draft.isBack) {
    document.getElementById("send-back").open = true;
    if (!document.querySelector(".side [role=alert].notice")) document.getElementById("unsent").hidden = false;
  }
  document.getElementById("draw").addEventListener("click", () => {
    if (!viewer()) marked.textContent = "The picture is not open yet.";
    viewer()?.draw();
    place.scrollIntoView({ block: "nearest" });
  });
  form.addEventListener("submit", (event) => {
    if (!complete()) event.preventDefault();
    form.querySelector("input[name=marks]").value = JSON.stringify(draft.marks);
    draft.keep();
  });
}
