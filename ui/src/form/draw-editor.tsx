import type { JSX, RefObject, TargetedPointerEvent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Choices } from "../parts/choices.tsx";
import {
  defaultScale,
  pngOf,
  resized,
  scaleOf,
  tensorOfPixels,
  WAYS,
  type Way,
} from "../tensor/picture.ts";
import { pictureLayout } from "../../../src/serving/calls/index.ts";
import { useWords } from "../words.ts";
import type { EditorProps } from "./field.ts";

/** Pixels of the canvas along each side: ten for each of the model's. */
const SIDE = 280;
const PEN = 22;
const STEP = 10;

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Drawing {
  readonly canvas: RefObject<HTMLCanvasElement | null>;
  readonly isDown: boolean;
  readonly put: (isDown: boolean, at?: Point) => void;
  /** Draws to a point while the pen is down. */
  readonly move: (to: Point) => void;
  /** Moves from where the pen is. */
  readonly step: (x: number, y: number) => void;
  readonly clear: () => void;
}

/** A pen on a canvas. @param tell - called when a line is done, and once the canvas is empty */
function useDrawing(tell: (canvas: HTMLCanvasElement) => void): Drawing {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pen = useRef<Point>({ x: SIDE / 2, y: SIDE / 2 });
  const [isDown, setDown] = useState(false);
  const done = (): void => {
    if (canvas.current !== null) tell(canvas.current);
  };
  const lineTo = (to: Point): void => {
    if (canvas.current !== null) drawLine(canvas.current, pen.current, to);
    pen.current = to;
  };
  const clear = (): void => {
    const context = canvas.current?.getContext("2d");
    if (context === null || context === undefined) return;
    context.fillStyle = "#000";
    context.fillRect(0, 0, SIDE, SIDE);
    done();
  };
  return {
    ...{ canvas, isDown, clear },
    put: (isNowDown, at = pen.current) => {
      setDown(isNowDown);
      if (isNowDown) pen.current = at;
      if (isNowDown) lineTo(at);
      else done();
    },
    move: (to) => {
      if (isDown) lineTo(to);
    },
    step: (x, y) => {
      const to = { x: held(pen.current.x + x), y: held(pen.current.y + y) };
      if (isDown) lineTo(to);
      else pen.current = to;
      if (isDown) done();
    },
  };
}

/** A canvas to draw a digit on, white on black as the usual data sets have them. */
export function DrawEditor({ spec, isPrepared, onChange }: EditorProps): JSX.Element {
  const words = useWords();
  const [way, setWay] = useState<Way>(isPrepared ? "server" : defaultScale(spec.datatype));
  const tell = (canvas: HTMLCanvasElement): void => {
    const layout = pictureLayout(spec);
    if (layout === undefined) return;
    const pixels = resized(canvas, layout);
    onChange({
      value: tensorOfPixels(spec, layout, { pixels, scale: scaleOf(way, spec.datatype) }),
      ...(way === "server" && { file: pngOf(pixels) }),
    });
  };
  const drawing = useDrawing(tell);
  useEffect(drawing.clear, []);
  useEffect(() => {
    if (drawing.canvas.current !== null) tell(drawing.canvas.current);
  }, [way]);
  return (
    <div class="draw">
      <DrawingCanvas drawing={drawing} label={words.drawLabel} />
      <div class="picture-about">
        <button type="button" class="small" onClick={drawing.clear}>
          {words.clear}
        </button>
        <Choices
          label={words.scale}
          value={way}
          options={[
            ...(isPrepared ? ([["server", words.scaleServer]] as const) : []),
            ["unit", words.scaleUnit],
            ["bytes", words.scaleBytes],
            ["signed", words.scaleSigned],
          ]}
          choose={(value) => setWay(WAYS.find((name) => name === value) ?? way)}
        />
        <span class="quiet">{words.drawHint}</span>
      </div>
    </div>
  );
}

function DrawingCanvas({
  drawing,
  label,
}: {
  readonly drawing: Drawing;
  readonly label: string;
}): JSX.Element {
  const { canvas, isDown, put, move, step } = drawing;
  return (
    <canvas
      ref={canvas}
      width={SIDE}
      height={SIDE}
      tabIndex={0}
      role="application"
      aria-label={label}
      class={isDown ? "is-down" : ""}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        put(true, pointIn(event));
      }}
      onPointerMove={(event) => move(pointIn(event))}
      onPointerUp={() => put(false)}
      onKeyDown={(event) => {
        const [x, y] = MOVES[event.key] ?? [0, 0];
        if (event.key === " ") put(!isDown);
        else if (x === 0 && y === 0) return;
        else step(x, y);
        event.preventDefault();
      }}
    />
  );
}

const MOVES: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};

function held(value: number): number {
  return Math.min(SIDE, Math.max(0, value));
}

function drawLine(canvas: HTMLCanvasElement, from: Point, to: Point): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.strokeStyle = "#fff";
  context.lineWidth = PEN;
  context.lineCap = "round";
  context.lineJoin = "round";
  context.beginPath();
  context.moveTo(from.x, from.y);
  context.lineTo(to.x, to.y);
  context.stroke();
}

/** Where a pointer is, in pixels of the canvas, however large it is shown. */
function pointIn(event: TargetedPointerEvent<HTMLCanvasElement>): Point {
  const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
  return {
    x: ((event.clientX - left) * SIDE) / width,
    y: ((event.clientY - top) * SIDE) / height,
  };
}
