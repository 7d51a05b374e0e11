import { refuseGraph } from "../refusal.ts";

/** Words for what is not done: a job with the exporter itself. */
const EXPORTER_HINT =
  "run the Object Detection API's own export_inference_graph.py as a training job with `slipway train pack` and `slipway train run`, as docs/guide/export.md shows; or choose outputs with --outputs and an input with --input";

/** The error of a training graph that is not rebuilt. */
export function refuseTrainingGraph(why: string): Error {
  return refuseGraph(
    `it is a training graph of the Object Detection API without detection_boxes, and ${why}`,
    EXPORTER_HINT,
  );
}
