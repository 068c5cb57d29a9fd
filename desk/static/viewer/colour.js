/* Colours of pixels: CIE L*a*b* relative to D50, and delta E 2000; the same formulas as packshot/colour/difference.py. */

const D50 = [0.9642, 1.0, 0.8249];
/** Linear sRGB to XYZ relative to D50, by Bradford, as an sRGB profile stores it (rounded to 1/65536). */
const TO_D50 = [
  [0.4360656738, 0.3851470947, 0.1430664063],
  [0.2224884033, 0.7168731689, 0.0606079102],
  [0.0139160156, 0.0970764160, 0.7140960693],
];
const EPSILON = 216 / 24389;
const KAPPA = 24389 / 27;
const WHITE = [100, 0, 0];

/** Return L*, a*, b* of 8-bit sRGB. */
export function labOf(rgb) {
  const light = rgb.map((value) => {
    const encoded = value / 255;
    return encoded <= 0.04045 ? encoded / 12.92 : ((encoded + 0.055) / 1.055) ** 2.4;
  });
  const [x, y, z] = TO_D50.map((row, axis) => {
    const part = (row[0] * light[0] + row[1] * light[1] + row[2] * light[2]) / D50[axis];
    return part > EPSILON ? Math.cbrt(part) : (KAPPA * part + 16) / 116;
  });
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** Return delta E 2000 to white. */
export function deltaEToWhite(lab) {
  return deltaE(lab, WHITE);
}

/** Return delta E 2000 of two colours (Sharma, Wu, Dalal 2005, equations 2 to 22). */
export function deltaE([l1, a1, b1], [l2, a2, b2]) {
  const radians = Math.PI / 180;
  const share = (chroma) => Math.sqrt(chroma ** 7 / (chroma ** 7 + 25 ** 7));
  const stretch = 1.5 - 0.5 * share((Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2);
  const polar = (a, b) => [Math.hypot(a * stretch, b), (Math.atan2(b, a * stretch) / radians + 360) % 360];
  const [c1, h1] = polar(a1, b1);
  const [c2, h2] = polar(a2, b2);
  const grey = c1 * c2 === 0;
  let step = grey ? 0 : h2 - h1;
  if (step > 180) step -= 360;
  if (step < -180) step += 360;
  let hue = h1 + h2;
  if (!grey) {
    if (Math.abs(h1 - h2) > 180) hue += hue < 360 ? 360 : -360;
    hue /= 2;
  }
  const lightness = (l1 + l2) / 2;
  const chroma = (c1 + c2) / 2;
  const cosine = (degrees) => Math.cos(degrees * radians);
  const t = 1 - 0.17 * cosine(hue - 30) + 0.24 * cosine(2 * hue) + 0.32 * cosine(3 * hue + 6) - 0.2 * cosine(4 * hue - 63);
  const from50 = (lightness - 50) ** 2;
  const turn = 30 * Math.exp(-(((hue - 275) / 25) ** 2));
  const dl = (l2 - l1) / (1 + 0.015 * from50 / Math.sqrt(20 + from50));
  const dc = (c2 - c1) / (1 + 0.045 * chroma);
  const dh = (2 * Math.sqrt(c1 * c2) * Math.sin((step / 2) * radians)) / (1 + 0.015 * chroma * t);
  const rotation = -2 * share(chroma) * Math.sin(2 * turn * radians);
  return Math.sqrt(Math.max(0, dl * dl + dc * dc + dh * dh + rotation * dc * dh));
}
