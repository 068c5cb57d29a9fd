/* The picture viewer of the review desk: finds its element on the page and offers `window.packshotViewer`.

   <div id="viewer" data-shot="client/batch/shot" data-kinds='{"edit": "<digest>", "master": "<digest>"}'
        data-findings='[{"code", "sentence", "box": [x, y, width, height], "status"}]'></div>

   A delivered picture has one kind, "delivered", and data-base, the address below which its tiles are; data-draws="no"
   takes the tool for marks away. */

import { tried } from "./pictures.js";
import { Viewer } from "./shown.js";

/** The style sheet; it may come after everything else. */
const styled = tried(() => new Promise((resolve, reject) => {
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = new URL("viewer.css", import.meta.url).href;
  style.addEventListener("load", resolve);
  style.addEventListener("error", () => {
    style.remove();
    reject(new Error("The viewer's style sheet did not arrive. Load the page again."));
  });
  document.head.append(style);
}));
styled.catch(() => {}); // each viewer says it

/** Return a viewer in an element that has these attributes. `ahead`: nobody sees it yet (see Viewer). */
export function viewerIn(place, { ahead = false } = {}) {
  return new Viewer(place, {
    shot: place.dataset.shot,
    kinds: JSON.parse(place.dataset.kinds || "{}"),
    findings: JSON.parse(place.dataset.findings || "[]"),
    base: place.dataset.base ?? "",
    draws: place.dataset.draws !== "no",
    ahead,
    styled,
  });
}

const place = document.getElementById("viewer");
if (place) window.packshotViewer = viewerIn(place).api();
