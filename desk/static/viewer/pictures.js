/* The pictures of a shot as the server has them: addresses, layouts, overlays. */

/** Names of the kinds of pictures, for people; the first one that a shot has is the one that is judged. */
export const NAMES = { delivered: "Delivered picture", edit: "Edit", master: "Master", machine: "Machine's edit", reference: "Reference" };

/** Return the address below which a picture's tiles are. */
export function addressOf(shot, kind, digest) {
  const parts = [...shot.split("/"), kind, digest].map(encodeURIComponent);
  return `/pictures/${parts.join("/")}`;
}

/** So often something is asked for, and after so long again: a desk that was started anew is back by then. */
const TRIES = 3;
const PAUSE_MS = 500;

/** Return what `once()` promises; when that fails, it is called again, but not after an error with `isFinal`. */
export async function tried(once) {
  for (let time = 1; ; time += 1) {
    try {
      return await once();
    } catch (error) {
      if (time === TRIES || error.isFinal) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * time));
    }
  }
}

/** Return what the server says at an address, as JSON. What does not come is said in a sentence that names `what`. */
export function told(address, what = "The picture") {
  const lost = (why) => new Error(`${what} did not arrive: ${why}. Load the page again.`);
  return tried(async () => {
    const answer = await fetch(address).catch(() => null);
    if (!answer) throw lost("the desk cannot be reached");
    const text = await answer.text().catch(() => null);
    if (answer.ok && text !== null) {
      try {
        return JSON.parse(text);
      } catch {
        throw lost("the answer broke off");
      }
    }
    const isSaid = text?.trim() && answer.headers.get("content-type")?.startsWith("text/plain");
    const error = isSaid ? new Error(text.trim()) : lost(text === null ? "the answer broke off" : `the desk answered ${answer.status}`);
    error.isFinal = answer.status < 500 && !answer.ok;
    throw error;
  });
}

/** Have a picture's tiles made before anybody looks at it; return false if too many others are made already. */
export async function makeAhead(address) {
  return (await fetch(`${address}/prefetch`, { priority: "low" })).ok;
}
