import { convertModel, exportCheckpoint, exportSavedModel } from "../../app/index.ts";
import type { Run } from "../cli.ts";
import { reportConversion, reportExport } from "../render/export.ts";

/** `slipway export tf-checkpoint`. */
export const exportFromCheckpoint: Run<"export tf-checkpoint"> = async (
  request,
  { session, reporter },
) => reportExport(await exportCheckpoint(request, session), reporter);

/** `slipway export saved-model`. */
export const exportFromSavedModel: Run<"export saved-model"> = async (
  request,
  { session, reporter },
) => reportExport(await exportSavedModel(request, session), reporter);

/** `slipway convert`. */
export const convert: Run<"convert"> = async (request, { session, reporter }) =>
  reportConversion(await convertModel(request, session), reporter);

/** `slipway export …/export_inference_graph.py`. */
export const exportJob: Run<"export inference-graph"> = ({ job }, cli) =>
  exportFromCheckpoint(job, cli);
