import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { ToolError } from "../../../ground/errors/index.ts";
import { noFile } from "../../../ground/process/index.ts";
import type { FetchContext, FetchedContent, FetchPlan, ImagePart } from "../contracts.ts";
import { planHub } from "./hub.ts";
import type { ModelSource } from "./model-source.ts";
import { planS3 } from "./s3.ts";
import { fetchAction, planUrl } from "./url-content.ts";

/** Looks at where a model comes from; nothing of the model itself is read. @throws as the kinds of sources do */
export function planSource(source: ModelSource, context: FetchContext): Promise<FetchPlan> {
  switch (source.kind) {
    case "url":
      return Promise.resolve(planUrl(source.request, context));
    case "file":
      return planFile(source.path);
    case "image":
      return planImage(source.name, context);
    case "s3":
      return planS3(source, context);
    case "hub":
      return planHub(source, context);
    default:
      return source satisfies never;
  }
}

/** A folder is served where it lies. A file is taken as if it had been downloaded. */
async function planFile(path: string): Promise<FetchPlan> {
  const label = `file://${path}`;
  const action = fetchAction(label);
  const stats = await stat(path, { bigint: true }).catch(noFile);
  if (stats === undefined) throw new ToolError("REFERENCE_NOT_FOUND", `${action}: it is not there`);
  if (stats.isDirectory()) return { label, action, key: label, contents: [], inPlace: path };
  if (!stats.isFile())
    throw new ToolError("FILE_REFUSED", `${action}: it is neither file nor folder`);
  const content: FetchedContent = {
    name: basename(path),
    as: "auto",
    size: Number(stats.size),
    open: ({ signal }) =>
      createReadStream(path, { highWaterMark: 2 ** 20, signal: signal ?? undefined }),
  };
  return { label, action, key: `${label} ${stats.size} ${stats.mtimeNs}`, contents: [content] };
}

async function planImage(name: string, context: FetchContext): Promise<FetchPlan> {
  const { digest, parts } = await context.openImage(name);
  const label = `oci://${name}`;
  return {
    label,
    action: fetchAction(label),
    key: `oci://${name} ${digest}`,
    contents: parts.map(partContent),
  };
}

/** A part is verified here where its digest is a sha256, and by the registry's client otherwise. */
function partContent(part: ImagePart): FetchedContent {
  const [, sha256] = /^sha256:([0-9a-f]{64})$/.exec(part.digest) ?? [];
  return {
    name: part.path ?? "",
    as: part.kind === "layer" ? "layer" : part.kind === "files" ? "archive" : "file",
    size: part.size,
    isSorted: part.isSorted,
    sha256,
    open({ from, onValidator, signal }) {
      if (sha256 !== undefined) onValidator?.(part.digest);
      return part.open(from?.position ?? 0, { signal });
    },
  };
}
