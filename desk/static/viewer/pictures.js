/* The pictures of a shot as the server has them: addresses, layouts, overlays. */

/** Names of the kinds of pictures, for people; the first one that a shot has is the one that is judged. */
export const NAMES = { delivered: "Delivered picture", edit: "Edit", master: "Master", machine: "Machine's edit", reference: "Reference" };

/** Return the address below which a picture's tiles are. */
export function addressOf(shot, kind, digest) {
  const parts = [...shot.split("/"), kind, digest].map(encodeURIComponent);
  return `/pictures/${parts.join("/")}`;
}

/** Return what the server says at an address, as JSON. */
export async function told(address, options = {}) {
  const answer = await fetch(address, options);
  if (!answer.ok) throw new Error((await answer.text()).trim() || `The server answered ${answer.status}.`);
  return answer.json();
}

/** Have a picture's tiles made before anybody looks at it; return false if too many others are made already. */
export async function makeAhead(address) {
  return (await fetch(`${address}/prefetch`, { priority: "low" })).ok;
}
