/* The pictures of a shot as the server has them: addresses, layouts, overlays. */

/** Names of the kinds of pictures, for people; the first one that a shot has is the one that is judged. */
export const NAMES = { delivered: "Delivered picture", edit: "Edit", master: "Master", machine: "Machine's edit", reference: "Reference" };

/** Of so many levels, the smallest first, every tile is fetched before it is needed. */
const WHOLE_LEVELS = 3;

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
 * Have the pictures of a shot that is looked at next made, and fetch what is seen of them first: the whole picture, and its
 * middle at 1:1.
 *
 * `kinds` is the same as data-kinds; `stage` is the size of what is shown, in device pixels. Nothing is said if it fails: the
 * pictures are then made when the shot is opened.
 */
export async function prefetch(shot, kinds, stage) {
  for (const [kind, digest] of Object.entries(kinds)) {
    try {
      const address = addressOf(shot, kind, digest);
      await fetch(`${address}/prefetch`, { priority: "low" });
      const layout = await told(`${address}/picture.json`, { priority: "low" });
      for (const tile of [...smallest(layout), ...middle(layout, stage)]) {
        await fetch(`${address}/${tile}.webp`, { priority: "low" });
      }
    } catch {
      return;
    }
  }
}

/** Return the tiles of the first levels: "level/column_row". */
function smallest(layout) {
  return layout.levels.slice(0, WHOLE_LEVELS).flatMap(([width, height], level) => tilesIn(level, layout, [0, width], [0, height]));
}

/** Return the tiles of the last level that are seen if the picture's middle is in the middle of the stage. */
function middle(layout, stage) {
  const level = layout.levels.length - 1;
  if (level < WHOLE_LEVELS) return [];
  const seen = (length, room) => [Math.max(0, (length - room) / 2), Math.min(length, (length + room) / 2)];
  return tilesIn(level, layout, seen(layout.width, stage.width), seen(layout.height, stage.height));
}

function tilesIn(level, { tile_px: side }, across, down) {
  const places = ([from, to]) => {
    const first = Math.floor(from / side);
    return Array.from({ length: Math.ceil(to / side) - first }, (_, place) => first + place);
  };
  return places(down).flatMap((row) => places(across).map((column) => `${level}/${column}_${row}`));
}
