/** Drawing how a training run gets on, for a terminal. An entry apart: only the commands that follow a run load it. */
export { drawCurve, type Curve, type Progress } from "../../jobs/train/index.ts";
