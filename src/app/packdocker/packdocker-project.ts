import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { noFile } from "../../ground/process/index.ts";
import { walkTree, type PackProject } from "../../images/pack/index.ts";
import { modelFile } from "../pack/project.ts";
import { checkPickles } from "../../models/kinds/index.ts";
import { SERVER_ROOT, type UaiJob } from "../../jobs/uai/index.ts";
import { declaredLines } from "../python/declared-packages.ts";
import type { Surroundings } from "../session.ts";
import { epochOf } from "../settings.ts";
import type { BaseSource } from "./packdocker-base.ts";
import type { CheckedJob } from "./packdocker-check.ts";
import { rowIndexes } from "../pack/row-indexes.ts";
import { rowRequirements } from "./row-requirements.ts";
import type { PackdockerRequest } from "./packdocker-request.ts";

const PORT = 8080;
const MAX_BATCH = 32;

/** Has `import tensorflow` give the API of TensorFlow 1. */
export const TF1_ENVIRONMENT: Readonly<Record<string, string>> = { SLIPWAY_TF1_COMPAT: "1" };

/** What a job comes to as a project: `source` says which packages its base lacks. */
export async function uaiProjectOf(
  checked: CheckedJob,
  about: {
    readonly request: PackdockerRequest;
    readonly source: BaseSource;
    readonly session: Surroundings;
  },
): Promise<PackProject> {
  const { job, folder, conf, confName } = checked;
  const { request, source, session } = about;
  const { files } = await walkTree(folder, { ignore: [], signal: session.signal });
  const { allowPickle } = request;
  await checkPickles(files.map(modelFile), { allowPickle, signal: session.signal });
  const hasRequirements =
    (await stat(join(folder, "requirements.txt")).catch(noFile))?.isFile() === true;
  const own = hasRequirements
    ? (await readFile(join(folder, "requirements.txt"), "utf8")).split("\n")
    : await declaredLines(folder, session);
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
      maxBatch: request.maxBatch ?? MAX_BATCH,
      ...(request.maxWaitMs === undefined ? {} : { maxWaitMs: request.maxWaitMs }),
    },
    env: environmentOf(job, { confName, isTf1: isTf1Wanted(request, source) }),
    requirements: hasRequirements ? ["requirements.txt"] : [],
    requirementLines: [
      ...(await rowRequirements(source.requirements, checked, own)),
      ...(hasRequirements ? [] : own),
    ],
    indexes: {
      indexUrl: request.indexUrl,
      ...rowIndexes(source.extraIndexUrls ?? [], request),
      findLinks: (request.findLinks ?? []).map((place) =>
        /^[a-z+]+:\/\//.test(place) ? place : resolve(session.cwd, place),
      ),
    },
    ignoreLibraries: request.allowMissingLibraries,
    aptWay: "flag",
    ignore: [],
    allowSecrets: request.allowSecrets ?? [],
    labels: { "dev.slipway.framework": job.release ?? job.framework },
    annotations: {},
    added: [{ path: `${SERVER_ROOT.slice(1)}/${confName}`, bytes: conf }],
    epochS: epochOf(session.environment["SOURCE_DATE_EPOCH"]),
  };
}

/** The user's word, else that the release which was asked for is one of TensorFlow 1. */
function isTf1Wanted({ isTf1 }: PackdockerRequest, { standsInFor = "" }: BaseSource): boolean {
  return isTf1 ?? /^tensorflow-[01]\./.test(standsInFor);
}

function environmentOf(
  { framework }: UaiJob,
  { confName, isTf1 }: { readonly confName: string; readonly isTf1: boolean },
): Readonly<Record<string, string>> {
  return {
    UAI_SERVICE_CONFIG: `${SERVER_ROOT}/${confName}`,
    ...(framework === "caffe" && { PYTHONPATH: "/root/caffe/python" }),
    ...(isTf1 && TF1_ENVIRONMENT),
  };
}
