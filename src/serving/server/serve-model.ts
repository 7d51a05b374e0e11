import type { ModelDescription } from "../../models/description/index.ts";
import { checkPorts } from "./check-ports.ts";
import { listen } from "./listen-http.ts";
import { reload } from "./reloader.ts";
import { runningServer, type RunningServer, type Stoppable } from "./running-server.ts";
import {
  DEFAULT_HOST,
  createParts,
  createPlane,
  type ServeOptions,
  type ServerParts,
} from "./server-parts.ts";
import type { ModelSources } from "./model-set.ts";
import { watchSources, type SourceWatch } from "./watch-sources.ts";

/** A server of models, whose models may change while it runs. */
export interface RunningModels extends RunningServer {
  /**
   * Makes the models beside the first those that are told: adds new ones, loads changed ones anew, takes those that are gone out of use.
   * What does not load is logged, and stops nothing.
   */
  follow(sources: ModelSources): Promise<void>;
}

/**
 * Loads a model, and those beside it, and serves them. Resolves when it answers; nothing listens before the models are loaded.
 * @throws InferenceError `MODEL_LOAD_FAILED`, `RUNTIME_MISSING`; ToolError `PORT_TAKEN`
 */
export async function serveModel(
  description: ModelDescription,
  options: ServeOptions = {},
): Promise<RunningModels> {
  const parts = createParts(description, options);
  const { models, log, observation, codecs, keys } = parts;
  const watch =
    options.watch === true && options.source?.mark === undefined // who marks models follows them too
      ? await watchSources({
          paths: [description.codePath, description.modelPath].filter((path) => path !== undefined),
        })
      : undefined;
  const servers: Stoppable[] = [];
  const { host = DEFAULT_HOST, ports: own } = options;
  try {
    await checkPorts(host, Object.values({ ...description.ports, ...own }));
    await parts.set.loadAll();
    const plane = await createPlane(parts);
    const ports = await listen({ parts, plane, servers });
    startWatch(parts, watch);
    log.info({ model: description.name, kind: description.kind, ports }, "ready");
    const closers = [
      () => watch?.close(),
      () => codecs[Symbol.dispose](),
      async () => plane.images[Symbol.asyncDispose](),
      async () => parts.set[Symbol.asyncDispose](),
      async () => observation[Symbol.asyncDispose](),
    ];
    const again = (): Promise<void> => reloadNow(parts);
    return Object.assign(
      runningServer({ ports, models, servers, log, keys, closers, reload: again }),
      {
        follow: (sources: ModelSources) => parts.set.follow(sources, [parts.model]),
      },
    );
  } catch (error) {
    watch?.close();
    servers.forEach((server) => server.cut());
    await models[Symbol.asyncDispose]();
    throw error;
  }
}

function startWatch(
  { model, load, metrics, log }: ServerParts,
  watch: SourceWatch | undefined,
): void {
  watch?.run(async (files) => {
    if (model.state !== "stopping") await reload({ load, metrics, log }, files);
  });
}

async function reloadNow({ model, load, metrics, log }: ServerParts): Promise<void> {
  if (model.state !== "stopping") await reload({ load, metrics, log }, []);
}
