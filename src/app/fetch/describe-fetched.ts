import { join } from "node:path";
import { ProjectError, ToolError } from "../../ground/errors/index.ts";
import { walkTree } from "../../images/pack/index.ts";
import {
  MODEL_KINDS,
  type Contract,
  type ModelDescription,
} from "../../models/description/index.ts";
import type { FetchedModel } from "../../models/fetch/index.ts";
import { checkPickles, detectModel, type ModelFile } from "../../models/kinds/index.ts";
import { defaultPortsOf } from "../../serving/protocols/index.ts";
import { modelFile } from "../pack/project.ts";
import type { Caller, Environment } from "../session.ts";

/** How a fetched model is to be served. */
export interface FetchedSetting {
  readonly contract: Contract;
  /** Interpreter and import folders of Python kinds. */
  readonly python: ModelDescription["python"];
  readonly environment: Environment;
}

/** A model that was fetched may bring programs, which nobody has looked at. */
const CODE = /\.(?:py|[mc]?[jt]s)$/;

/**
 * Finds out what was fetched. Code beside the model is passed over unless `MODEL_ALLOW_CODE` is set; `MODEL_KIND` and `MODEL_PATH`
 * decide where several models could be meant; `MODEL_NAME`, else `MODEL_ID`, names it.
 * @throws ProjectError `MODEL_NOT_DETECTED`, `MODEL_FILE_INVALID`, `UNSUPPORTED`, `PICKLE_REFUSED`; ToolError `USAGE`
 */
export async function describeFetched(
  model: FetchedModel,
  setting: FetchedSetting,
  { signal }: Pick<Caller, "signal">,
): Promise<ModelDescription> {
  const { environment: env, contract, python } = setting;
  const allowPickle = (env["MODEL_ALLOW_PICKLE"] ?? "")
    .split(/[\s,]+/)
    .filter((name) => name !== "");
  const files = await filesOf(model, env, signal);
  const detected = await detectModel(
    {
      folder: model.label,
      files,
      kind: kindIn(env),
      model: env["MODEL_PATH"]?.trim() || undefined,
    },
    { signal, allowPickle },
  );
  const { chosen, obstacle, signature, labels } = detected;
  await checkPickles(
    files.filter(({ path }) => path !== chosen.modelPath),
    { signal, allowPickle },
  );
  if (obstacle !== undefined)
    throw new ProjectError(obstacle.code, `serve "${chosen.modelPath ?? ""}": ${obstacle.why}`, {
      hint: obstacle.hint,
      file: chosen.modelPath,
    });
  return {
    schemaVersion: 1,
    name: fetchedName(env),
    kind: chosen.kind,
    ...{ contract, service: "MODEL", ports: defaultPortsOf(contract), server: {} },
    codePath: model.folder,
    ...(chosen.modelPath !== undefined && { modelPath: join(model.folder, chosen.modelPath) }),
    ...(chosen.code !== undefined && { code: chosen.code }),
    ...(signature !== undefined && { signature }),
    ...(labels !== undefined && { labels }),
    ...(allowPickle.length > 0 && { allowPickle }),
    ...(python !== undefined && { python }),
  };
}

async function filesOf(
  { folder, names }: FetchedModel,
  env: Environment,
  signal: AbortSignal,
): Promise<readonly ModelFile[]> {
  const { files } = await walkTree(folder, { ignore: [".slipway"], signal });
  const mayRun = /^(?:1|true|yes|on)$/i.test(env["MODEL_ALLOW_CODE"]?.trim() ?? "");
  const isNamed = (path: string): boolean =>
    names === undefined || names.some((name) => path === name || path.startsWith(`${name}/`));
  return files.filter(({ path }) => isNamed(path) && (mayRun || !CODE.test(path))).map(modelFile);
}

function kindIn(env: Environment): (typeof MODEL_KINDS)[number] | undefined {
  const text = env["MODEL_KIND"]?.trim() ?? "";
  const kind = MODEL_KINDS.find((name) => name === text);
  if (text === "" || kind !== undefined) return kind;
  throw new ToolError("USAGE", `read the variable MODEL_KIND: there is no kind "${text}"`, {
    hint: `it is one of ${MODEL_KINDS.join(", ")}`,
  });
}

/** A name that fits into a URL. */
function fetchedName(env: Environment): string {
  const said = env["MODEL_NAME"]?.trim() || env["MODEL_ID"]?.trim() || "model";
  return said.replaceAll(/[^\w.-]+/g, "-").slice(0, 100);
}
