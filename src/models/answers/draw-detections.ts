import type { Pixels } from "../inputs/index.ts";
import type { Detection } from "./detections.ts";
import { GLYPH_COLUMNS, GLYPH_ROWS, isDotSet } from "./glyphs.ts";

type Colour = readonly [red: number, green: number, blue: number];

/** Told apart also by who does not see all colours. @see Okabe and Ito, Color Universal Design */
const COLOURS: readonly Colour[] = [
  [230, 159, 0],
  [86, 180, 233],
  [0, 158, 115],
  [240, 228, 66],
  [0, 114, 178],
  [213, 94, 0],
  [204, 121, 167],
];
const INK: Colour = [0, 0, 0];
/** The shorter side of a picture divided by it is how thick lines are, in pixels. */
const SIDE_PER_LINE = 200;
const MAX_TEXT = 40;

/**
 * The picture with a box around each object, and its name and score above the box; those with low scores lie below the others. Names are
 * drawn in ASCII, with question marks for the rest. The picture that is given stays as it is.
 */
export function drawDetections(pixels: Pixels, detections: readonly Detection[]): Pixels {
  const drawn: Pixels = { ...pixels, data: Uint8Array.from(pixels.data) };
  const line = Math.max(1, Math.round(Math.min(pixels.width, pixels.height) / SIDE_PER_LINE));
  for (const one of [...detections].sort((a, b) => a.score - b.score)) {
    const colour = COLOURS[Math.abs(one.class) % COLOURS.length] ?? INK;
    const frame = frameOf(one, pixels);
    drawFrame(drawn, frame, { line, colour });
    drawLabel(drawn, { text: labelOf(one), frame, line, colour });
  }
  return drawn;
}

function labelOf({ label, class: number, score }: Detection): string {
  const name = Array.from(label ?? `class ${number}`)
    .slice(0, MAX_TEXT)
    .join("");
  return `${name} ${Math.round(score * 100)}%`;
}

/** Edges in pixels; right and bottom are the first ones outside. */
interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

function frameOf({ box }: Detection, { width, height }: Pixels): Rectangle {
  const [top, left, bottom, right] = box;
  const within = (share: number, size: number): number =>
    Number.isFinite(share) ? Math.min(size, Math.max(0, Math.round(share * size))) : 0;
  return {
    left: within(left, width),
    top: within(top, height),
    right: within(right, width),
    bottom: within(bottom, height),
  };
}

function drawFrame(
  pixels: Pixels,
  frame: Rectangle,
  { line, colour }: { readonly line: number; readonly colour: Colour },
): void {
  const { left, top, right, bottom } = frame;
  fill(pixels, { ...frame, bottom: Math.min(bottom, top + line) }, colour);
  fill(pixels, { ...frame, top: Math.max(top, bottom - line) }, colour);
  fill(pixels, { ...frame, right: Math.min(right, left + line) }, colour);
  fill(pixels, { ...frame, left: Math.max(left, right - line) }, colour);
}

interface Label {
  readonly text: string;
  readonly frame: Rectangle;
  /** Thickness of lines, which is the size of a dot too. */
  readonly line: number;
  readonly colour: Colour;
}

/** Above the box, or inside of it where there is no room above. */
function drawLabel(pixels: Pixels, { text, frame, line, colour }: Label): void {
  const dot = Math.max(1, line);
  const height = (GLYPH_ROWS + 2) * dot;
  const top = frame.top >= height ? frame.top - height : frame.top;
  const advance = (GLYPH_COLUMNS + 1) * dot;
  const characters = Array.from(text);
  const width = characters.length * advance + dot;
  const left = Math.max(0, Math.min(frame.left, pixels.width - width));
  fill(pixels, { left, top, right: left + width, bottom: top + height }, colour);
  characters.forEach((character, at) =>
    drawGlyph(pixels, character, { left: left + dot + at * advance, top: top + dot, dot }),
  );
}

function drawGlyph(
  pixels: Pixels,
  character: string,
  { left, top, dot }: { readonly left: number; readonly top: number; readonly dot: number },
): void {
  for (let column = 0; column < GLYPH_COLUMNS; column += 1)
    for (let row = 0; row < GLYPH_ROWS; row += 1)
      if (isDotSet(character, column, row)) {
        const [x, y] = [left + column * dot, top + row * dot];
        fill(pixels, { left: x, top: y, right: x + dot, bottom: y + dot }, INK);
      }
}

/** Fills what lies inside of the picture. */
function fill({ width, height, data }: Pixels, area: Rectangle, colour: Colour): void {
  const right = Math.min(width, area.right);
  for (let y = Math.max(0, area.top); y < Math.min(height, area.bottom); y += 1)
    for (let x = Math.max(0, area.left); x < right; x += 1)
      data.set([...colour, 255], 4 * (y * width + x));
}
