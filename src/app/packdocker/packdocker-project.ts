import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { walkTree, type PackProject } from "../../images/pack/index.ts";
import { modelFile } from "../pack/project.ts";
import { checkPickles } from "../../models/kinds/index.ts";
import { SERVER_ROOT, type UaiJob } from "../../jobs/uai/index.ts";
import type { Context } from "../context.ts";
import { epochOf } from "../options.ts";
import type { BaseSource } from "./packdocker-base.ts";
import type { CheckedJob } from "./packdocker-check.ts";
import type { PackdockerFlags } from "./packdocker-flags.ts";

const PORT = 8080;
const MAX_BATCH = 32;

/** What a job comes to as a project: `source` says which packages its base lacks. */
export async function uaiProjectOf(
  checked: CheckedJob,
  about: {
    readonly flags: PackdockerFlags;
    readonly source: BaseSource;
    readonly context: Context;
  },
): Promise<PackProject> {
  const { job, folder, conf, confName } = checked;
  const { flags, source, context } = about;
  const { files } = await walkTree(folder, { ignore: [], signal: context.signal });
  const { allowPickle } = flags;
  await checkPickles(files.map(modelFile), { allowPickle, signal: context.signal });
  const hasRequirements =
    (await stat(join(folder, "requirements.txt")).catch(() => undefined))?.isFile() === true;
  return {
    root: folder,
    name:
      job.image
        .replace(/:[^:/]*$/, "")
        .split("/")
        .at(-1) ?? "uai",
    kind: "class",
    modelFiles: checked.modelFiles,
    code: { file: checked.mainFile, name: checked.mainClass, language: "python" },
    contract: "uai",
    service: "MODEL",
    ports: { http: PORT },
    server: {
      maxBatch: flags.maxBatch ?? MAX_BATCH,
      ...(flags.maxWaitMs === undefined ? {} : { maxWaitMs: flags.maxWaitMs }),
    },
    env: environmentOf(job, { confName, isTf1: flags.tf1Compat === true }),
    requirements: hasRequirements ? ["requirements.txt"] : [],
    requirementLines: source.requirements,
    indexes: {
      indexUrl: flags.indexUrl,
      extraIndexUrls: source.extraIndexUrls ?? [],
      findLinks: (flags.findLinks ?? []).map((place) =>
        /^[a-z+]+:\/\//.test(place) ? place : resolve(context.cwd, place),
      ),
    },
    ignoreLibraries: flags.allowMissingLibrary,
    aptWay: "flag",
    ignore: [],
    allowSecrets: flags.allowSecret ?? [],
    labels: { "dev.slipway.framework": job.release ?? job.framework },
    annotations: {},
    added: [{ path: `${SERVER_ROOT.slice(1)}/${confName}`, bytes: conf }],
    epochS: epochOf(context.env["SOURCE_DATE_EPOCH"]),
  };
}

function environmentOf(
  { framework }: UaiJob,
  { confName, isTf1 }: { readonly confName: string; readonly isTf1: boolean },
): Readonly<Record<string, string>> {
  return {
    UAI_SERVICE_CONFIG: `${SERVER_ROOT}/${confName}`,
    ...(framework === "caffe" && { PYTHONPATH: "/root/caffe/python" }),
    ...(isTf1 && { SLIPWAY_TF1_COMPAT: "1" }),
  };
}
