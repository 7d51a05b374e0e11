import type { Places } from "../session.ts";
import { runInEngine, type RunRequest } from "./run-in-engine.ts";
import { openRunSource } from "./run-source.ts";

/**
 * Runs an image until it ends or the session is aborted; detached, until it is ready. Tells when it is, and what it prints.
 * @throws ToolError `ENGINE_MISSING`, `ENGINE_FAILED`, `TIMEOUT`, `PORT_TAKEN`, `REFERENCE_NOT_FOUND`, `UNSUPPORTED`.
 */
export async function run(request: RunRequest, session: Places): Promise<void> {
  await using source = await openRunSource(request.name, request, session);
  if (request.isUnpacked === true) {
    const { runWithoutEngine } = await import("./run-without-engine.ts");
    return await runWithoutEngine({ ...request, source }, session);
  }
  return await runInEngine({ ...request, source }, session);
}
