import type { TrainingEvent } from "../../app/index.ts";
import { drawCurve, type Curve, type Progress } from "../../app/curves/index.ts";
import type { Cli } from "../cli.ts";
import { formatDuration } from "./format.ts";

/** The terminal below the log of a training run. */
interface TrainingScreen {
  /** Takes what the program printed. */
  print(text: string): void;
  /** Shows how far it is; at the last one leaves the whole curves behind. */
  show(event: TrainingEvent): void;
}

/** A command whose session shows a training run: its log, and below it its curves where there is a terminal. */
export function withTrainingScreen(cli: Cli): Cli {
  const { stderr } = process;
  const { session, reporter, isJson } = cli;
  const screen = createTrainingScreen({
    stderr,
    isTerminal: stderr.isTTY && !isJson,
    step: (text) => reporter.step(text),
  });
  return {
    ...cli,
    session: {
      ...session,
      emit(event) {
        if (event.kind === "output") screen.print(event.text);
        else if (event.kind === "training") screen.show(event);
        else session.emit(event);
      },
    },
  };
}

const DRAW_MS = 250;
const ROWS = 4;
const MAX_DRAWN = 3;

/** Log lines above, curves and how far it is below them, on standard error; without a terminal only the log. */
function createTrainingScreen({
  stderr,
  isTerminal,
  step,
}: {
  readonly stderr: { write(text: string): unknown; readonly columns: number };
  readonly isTerminal: boolean;
  readonly step: (text: string) => void;
}): TrainingScreen {
  let drawn = 0;
  let drawnAt = Number.NEGATIVE_INFINITY;
  let partial = "";
  const erase = (): void => {
    if (drawn > 0) stderr.write(`\u001b[${drawn}A\u001b[0J`);
    drawn = 0;
  };
  const linesOfCurves = (curves: readonly Curve[]): readonly string[] =>
    curves
      .slice(0, MAX_DRAWN)
      .flatMap((curve) =>
        drawCurve(curve, { columns: Math.min(80, stderr.columns - 1), rows: ROWS }),
      );
  const draw = ({ curves, progress, elapsedMs }: TrainingEvent): void => {
    if (performance.now() - drawnAt < DRAW_MS) return;
    erase();
    const status = statusLine(progress, elapsedMs).slice(0, Math.max(8, stderr.columns - 1));
    const lines = [...linesOfCurves(curves), status];
    stderr.write(lines.map((line) => `${line}\n`).join(""));
    drawn = lines.length;
    drawnAt = performance.now();
  };
  const end = (curves: readonly Curve[]): void => {
    erase();
    if (partial !== "") stderr.write(`${partial}\n`);
    partial = "";
    for (const line of linesOfCurves(curves)) step(line);
  };
  return {
    print(text) {
      if (!isTerminal) return void stderr.write(text);
      // Only whole lines go above the curves.
      const whole = `${partial}${text}`;
      const at = whole.lastIndexOf("\n") + 1;
      partial = whole.slice(at);
      if (at === 0) return;
      erase();
      stderr.write(whole.slice(0, at));
      drawnAt = Number.NEGATIVE_INFINITY;
    },
    show(event) {
      if (!isTerminal) return;
      if (event.isOver) end(event.curves);
      else draw(event);
    },
  };
}

/** How long it runs, how far it is when it says so, and how long that lets one expect. */
function statusLine(progress: Progress | undefined, elapsedMs: number): string {
  if (progress === undefined || progress.done === 0)
    return `training for ${formatDuration(elapsedMs)}`;
  const { unit, done, total } = progress;
  const left = (elapsedMs / done) * (total - done);
  return `${unit}${unit === "" ? "" : " "}${done} of ${total} after ${formatDuration(elapsedMs)}${left > 0 ? `, about ${formatDuration(left)} left` : ""}`;
}
