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

/**
 * Have the pictures of a shot that is looked at next made, and fetch what is seen of them first.
 *
 * `kinds` is the same as data-kinds. Nothing is said if it fails: the pictures are then made when the shot is opened.
 */
export async function prefetch(shot, kinds) {
  for (const [kind, digest] of Object.entries(kinds)) {
    try {
      const address = addressOf(shot, kind, digest);
      await fetch(`${address}/prefetch`, { priority: "low" });
      const layout = await told(`${address}/picture.json`, { priority: "low" });
      const levels = layout.levels.slice(0, 3).entries();
      for (const [level, [width, height]] of levels) {
        const [columns, rows] = [width, height].map((side) => Math.ceil(side / layout.tile_px));
        for (let row = 0; row < rows; row += 1) {
          for (let column = 0; column < columns; column += 1) {
            await fetch(`${address}/${level}/${column}_${row}.webp`, { priority: "low" });
          }
        }
      }
    } catch {
      return;
    }
  }
}
