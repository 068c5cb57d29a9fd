/* Where the picture lies on the screen. All lengths are device pixels unless they are called otherwise. Nothing here
   touches the page. */

/** Magnifications that zooming steps through: device pixels for each pixel of the picture. */
export const STEPS = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16];

/** How far a picture larger than the stage may be moved beyond its edge, as a share of the stage. */
const BEYOND = 0.25;

/** Return the magnification at which the whole picture is seen; never more than 1:1. */
export function fitting(picture, stage) {
  return Math.min(1, stage.width / picture.width, stage.height / picture.height);
}

/** Return the next magnification up (+1) or down (-1); zooming out ends with the whole picture. */
export function stepped(magnification, way, picture, stage) {
  const fit = fitting(picture, stage);
  const steps = [fit, ...STEPS.filter((step) => step > fit * 1.001)];
  if (way > 0) return steps.find((step) => step > magnification * 1.001) ?? steps.at(-1);
  return steps.findLast((step) => step < magnification * 0.999) ?? fit;
}

/** Return the view {magnification, x, y} with its middle (in pixels of the picture) moved so that the picture is seen. */
export function held(view, picture, stage) {
  const hold = (middle, length, room) => {
    const half = room / 2 / view.magnification;
    const slack = BEYOND * room / view.magnification;
    if (length * view.magnification <= room) return length / 2;
    return Math.min(Math.max(middle, half - slack), length - half + slack);
  };
  return { ...view, x: hold(view.x, picture.width, stage.width), y: hold(view.y, picture.height, stage.height) };
}

/** Return {magnification, left, top}: where the picture's upper left corner lies, on a whole device pixel. */
export function placed(view, stage) {
  return {
    magnification: view.magnification,
    left: Math.round(stage.width / 2 - view.x * view.magnification),
    top: Math.round(stage.height / 2 - view.y * view.magnification),
  };
}

/** Return the view with another magnification in which the pixel of the picture at a place of the stage stays there. */
export function zoomed(view, magnification, at, stage) {
  const x = view.x + (at.x - stage.width / 2) / view.magnification;
  const y = view.y + (at.y - stage.height / 2) / view.magnification;
  return {
    magnification,
    x: x - (at.x - stage.width / 2) / magnification,
    y: y - (at.y - stage.height / 2) / magnification,
  };
}

/** Return the pixel of the picture at a place of the stage; it may lie beyond the picture. */
export function pixelAt(at, place) {
  return {
    x: Math.floor((at.x - place.left) / place.magnification),
    y: Math.floor((at.y - place.top) / place.magnification),
  };
}

/** Return a magnification in words: "1:1", "2:1", "38 %". */
export function inWords(magnification) {
  if (magnification >= 1) return `${Number(magnification.toFixed(2))}:1`;
  return `${Math.round(magnification * 100)} %`;
}
