import { ToolError } from "../../../ground/errors/index.ts";
import { callUrl } from "../../../ground/http/index.ts";
import type { FetchContext, FetchedContent, FetchPlan } from "../contracts.ts";
import { fetchAction, urlContent } from "./url-content.ts";

/** A repository of models, or a part of it. */
export interface HubPlace {
  readonly repository: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
  /** A file or folder; empty for the whole. */
  readonly path: string;
}

const DEFAULT_ENDPOINT = "https://huggingface.co";
const MAX_INFO_BYTES = 32 * 2 ** 20;
/** What a repository has beside its model. */
const BESIDE = /(?:^|\/)(?:\.git\w*|\.DS_Store)$/;

/**
 * The files of a repository at one commit: a branch or a tag is resolved once, and all files come from that commit. `HF_ENDPOINT` names
 * another hub, `HF_TOKEN` is sent to it and to nobody else.
 * @throws RegistryError as `callUrl`; ToolError `REFERENCE_NOT_FOUND`, `REGISTRY_PROTOCOL`
 * @see huggingface_hub, `HfApi.model_info` and `hf_hub_url`
 */
export async function planHub(place: HubPlace, context: FetchContext): Promise<FetchPlan> {
  const { repository, revision, path } = place;
  const endpoint = (context.environment["HF_ENDPOINT"]?.trim() || DEFAULT_ENDPOINT).replace(
    /\/+$/,
    "",
  );
  const label = `hf://${repository}@${revision}${path === "" ? "" : `/${path}`}`;
  const action = fetchAction(label);
  const headers = headersFor(context);
  const info = await readInfo({ endpoint, place, action, headers }, context);
  const files = info.files.filter(({ name }) => isWanted(name, path) && !BESIDE.test(name));
  if (files.length === 0)
    throw new ToolError("REFERENCE_NOT_FOUND", `${action}: there is no "${path}" in it`, {
      hint: `it has ${info.files
        .slice(0, 5)
        .map(({ name }) => name)
        .join(", ")}`,
    });
  const contents = files.map((file): FetchedContent => {
    const url = new URL(
      `${endpoint}/${repository}/resolve/${info.commit}/${file.name.split("/").map(encodeURIComponent).join("/")}`,
    );
    return {
      name: path === "" ? file.name : nameBelow(file.name, path),
      as: "file",
      size: file.size,
      sha256: file.sha256,
      open: (options) =>
        urlContent({ url, headers, action }, context, { ...options, onName: undefined }),
    };
  });
  return {
    label: `hf://${repository}@${info.commit}`,
    action,
    key: `${endpoint} ${repository} ${info.commit} ${path}`,
    contents,
  };
}

function headersFor({ environment }: FetchContext): Readonly<Record<string, string>> {
  const token =
    environment["HF_TOKEN"]?.trim() || environment["HUGGING_FACE_HUB_TOKEN"]?.trim() || "";
  return token === "" ? {} : { authorization: `Bearer ${token}` };
}

function isWanted(name: string, path: string): boolean {
  return path === "" || name === path || name.startsWith(`${path}/`);
}

function nameBelow(name: string, path: string): string {
  return name === path ? (name.split("/").at(-1) ?? name) : name.slice(path.length + 1);
}

interface HubFile {
  readonly name: string;
  readonly size?: number | undefined;
  readonly sha256?: string | undefined;
}

interface HubInfo {
  readonly commit: string;
  readonly files: readonly HubFile[];
}

async function readInfo(
  call: {
    readonly endpoint: string;
    readonly place: HubPlace;
    readonly action: string;
    readonly headers: Readonly<Record<string, string>>;
  },
  { client, signal }: FetchContext,
): Promise<HubInfo> {
  const { endpoint, place, action, headers } = call;
  const revision = encodeURIComponent(place.revision);
  const url = new URL(`${endpoint}/api/models/${place.repository}/revision/${revision}?blobs=true`);
  const response = await callUrl(client, { action, method: "GET", url, headers, signal });
  const text = Buffer.from(await response.readBytes(MAX_INFO_BYTES)).toString("utf8");
  try {
    return parseInfo(JSON.parse(text) as unknown);
  } catch (error) {
    throw new ToolError("REGISTRY_PROTOCOL", `${action}: "${url.host}" does not answer as a hub`, {
      cause: error,
    });
  }
}

/** @throws TypeError for anything else than a hub's answer */
function parseInfo(value: unknown): HubInfo {
  const { sha, siblings } = fieldsOf(value);
  if (typeof sha !== "string" || !/^[0-9a-f]{40,64}$/.test(sha) || !Array.isArray(siblings))
    throw new TypeError("it has no commit or no files");
  return { commit: sha, files: siblings.map(parseFile) };
}

function parseFile(value: unknown): HubFile {
  const { rfilename, size, lfs } = fieldsOf(value);
  if (typeof rfilename !== "string") throw new TypeError("a file has no name");
  const { sha256 } = lfs === undefined || lfs === null ? {} : fieldsOf(lfs);
  return {
    name: rfilename,
    ...(typeof size === "number" && { size }),
    ...(typeof sha256 === "string" && { sha256 }),
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw new TypeError("it is no object");
  return { ...value };
}
