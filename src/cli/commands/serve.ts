import { run, serve } from "../../app/index.ts";
import type { Run } from "../cli.ts";

/** `slipway run`. */
export const runImage: Run<"run"> = (request, { session }) => run(request, session);

/** `slipway serve`. */
export const serveModels: Run<"serve"> = (words, { session }) => serve(words, session);
