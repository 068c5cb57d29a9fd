// A client's page of one picture: the places that were drawn go into the form, and what is missing is said at once.
// What counts is checked by the server.

const form = document.querySelector("#send-back form");
const drawn = () => window.packshotViewer?.marks() ?? [];

function said(words) {
  form.querySelector(".hint").textContent = words;
  return words === "";
}

function complete() {
  const note = form.querySelector("textarea").value.trim();
  if (!note && form.querySelector("input[value=other]").checked) return said("Say in words what the fault is.");
  if (!note && !drawn().length) return said("Say what is wrong, in words or by a mark on the picture.");
  return said("");
}

if (form) {
  const marked = document.getElementById("marked");
  form.querySelector(".where").hidden = false; // without this script nothing that is drawn would be sent
  document.getElementById("viewer").addEventListener("packshot-marks", ({ detail }) => {
    marked.textContent = ["No place is marked.", "1 place is marked."][detail.length] ?? `${detail.length} places are marked.`;
  });
  document.getElementById("draw").addEventListener("click", () => {
    if (!window.packshotViewer) marked.textContent = "The picture is not open yet.";
    window.packshotViewer?.draw();
    document.getElementById("viewer").scrollIntoView({ block: "nearest" });
  });
  form.addEventListener("submit", (event) => {
    if (!complete()) event.preventDefault();
    form.querySelector("input[name=marks]").value = JSON.stringify(drawn());
  });
}
