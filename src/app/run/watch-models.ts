import { setTimeout as delay } from "node:timers/promises";
import type { RunningModels } from "../../serving/server/index.ts";
import type { Surroundings } from "../session.ts";
import { openModelFolders, type ModelFolderRequest } from "./model-folders.ts";

/** Time between two looks at a folder of models, in ms. */
const EVERY_MS = 1000;

/**
 * Looks at a folder of models again and again, and has the server follow it: versions that came, went or changed. A folder that cannot be
 * read at this moment changes nothing. Disposing waits for the look that is under way.
 */
export function watchModels(
  server: RunningModels,
  place: ModelFolderRequest,
  session: Surroundings,
): AsyncDisposable {
  const ended = new AbortController();
  const quiet: Surroundings = { ...session, emit: () => undefined };
  const look = async (): Promise<void> => {
    const found = await openModelFolders(place, quiet);
    if (found !== undefined && !ended.signal.aborted) await server.follow(found);
  };
  const run = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await delay(EVERY_MS, undefined, { signal: ended.signal, ref: false }).catch(() => undefined); // aborted: the loop ends
      if (ended.signal.aborted) return;
      await look().catch((error: unknown) =>
        session.emit({
          kind: "warning",
          text: `look for changed models: ${error instanceof Error ? error.message : String(error)}`,
        }),
      );
    }
  };
  const running = run();
  return {
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      await running;
    },
  };
}
