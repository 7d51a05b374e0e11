/** A picture in memory: red, green, blue and opacity, a byte each, row by row from the top left. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** `4 * width * height` bytes. */
  readonly data: Uint8Array;
}

/** Index of the pixel that comes to a column and row of the turned picture. */
type Source = (x: number, y: number) => number;

/** By EXIF's number; 5 to 8 change width and height. @see CIPA DC-008, 4.6.4 A */
function sourceOf(orientation: number, { width, height }: Pixels): Source | undefined {
  const end = width - 1;
  const bottom = (height - 1) * width;
  const sources: Readonly<Record<number, Source>> = {
    2: (x, y) => y * width + end - x,
    3: (x, y) => bottom - y * width + end - x,
    4: (x, y) => bottom - y * width + x,
    5: (x, y) => x * width + y,
    6: (x, y) => bottom - x * width + y,
    7: (x, y) => bottom - x * width + end - y,
    8: (x, y) => x * width + end - y,
  };
  return sources[orientation];
}

/** The picture as it is to be looked at. @param orientation - 1 to 8, as EXIF has it; the same picture for 1 */
export function turned(pixels: Pixels, orientation: number): Pixels {
  const source = sourceOf(orientation, pixels);
  if (source === undefined) return pixels;
  const [width, height] =
    orientation >= 5 ? [pixels.height, pixels.width] : [pixels.width, pixels.height];
  const from = new Uint32Array(aligned(pixels.data).buffer);
  const to = new Uint32Array(width * height);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) to[y * width + x] = from[source(x, y)] ?? 0;
  return { width, height, data: new Uint8Array(to.buffer) };
}

/** The bytes in a buffer of their own. */
function aligned(data: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(data);
}

/** A part of a picture; where it goes beyond the picture it is black and opaque. */
export function cropped(
  pixels: Pixels,
  { left, top, width, height }: Record<"left" | "top" | "width" | "height", number>,
): Pixels {
  const data = new Uint8Array(4 * width * height);
  for (let at = 3; at < data.length; at += 4) data[at] = 255;
  const firstX = Math.max(0, -left);
  const count = Math.min(width, pixels.width - left) - firstX;
  for (let y = Math.max(0, -top); y < height && top + y < pixels.height; y += 1) {
    if (count <= 0) break;
    const from = 4 * ((top + y) * pixels.width + left + firstX);
    data.set(pixels.data.subarray(from, from + 4 * count), 4 * (y * width + firstX));
  }
  return { width, height, data };
}
