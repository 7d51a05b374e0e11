import { redactUrl, ToolError } from "../../../ground/errors/index.ts";
import { createHttpClient, isLoopbackHost } from "../../../ground/http/index.ts";
import { parseImageNames, parsePackages } from "./answers.ts";
import { ask, type AskContext } from "./ask.ts";
import type { BaseImageQuery, VendorApi, VendorApiOptions, VendorKeys } from "./contracts.ts";
import type { Parameters } from "./sign.ts";

const ENDPOINT = "https://api.ucloud.cn";

/**
 * A client of the vendor's API. Nothing is sent before the first call.
 * @throws ToolError `USAGE` for keys that are empty or cannot be keys and for endpoints that are no addresses; `INSECURE_REFUSED` for plain HTTP to another machine.
 */
export function createVendorApi(options: VendorApiOptions): VendorApi {
  checkKeys(options.keys);
  const endpoint = parseEndpoint(options.endpoint || ENDPOINT, options.allowPlainHttp === true);
  const { keys, attempts = 4, timeoutMs = 30_000, onRetry, sleep, ca, proxyEnv: env } = options;
  const client = createHttpClient({ ca, env });
  const context: AskContext = {
    keys,
    endpoint,
    client,
    timeoutMs,
    retry: { attempts, ...(onRetry && { onRetry }), ...(sleep && { sleep }) },
  };
  const common = {
    Region: options.region || "cn-bj2",
    Zone: options.zone || "cn-bj2-04",
    ...(options.projectId && { ProjectId: options.projectId }),
  };
  return {
    listPackages: (type, call = {}) =>
      ask({ Action: "GetUAIAvailableEnvPkg", PkgType: type, ...common }, parsePackages, {
        ...context,
        ...call,
      }),
    findBaseImages: (query, call = {}) =>
      ask({ Action: "CheckUAIBaseImgExist", ...idsOf(query), ...common }, parseImageNames, {
        ...context,
        ...call,
      }),
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

function idsOf({ os, python, framework, aptGet = [], pip = [] }: BaseImageQuery): Parameters {
  return {
    OSVersion: os,
    PythonVersion: python,
    AIFrameVersion: framework,
    ...numbered("AptGetPKGID", aptGet),
    ...numbered("PipPKGID", pip),
  };
}

/** A list in the API's way; an empty one is one empty entry. */
function numbered(key: string, values: readonly string[]): Parameters {
  return Object.fromEntries(
    (values.length === 0 ? [""] : values).map((value, index) => [`${key}.${index}`, value]),
  );
}

function checkKeys({ publicKey, privateKey }: VendorKeys): void {
  for (const [name, key] of [
    ["public", publicKey],
    ["private", privateKey],
  ] as const) {
    if (!/^[\x21-\x7e]{1,512}$/.test(key))
      throw new ToolError(
        "USAGE",
        `use the vendor's API: the ${name} key is ${key === "" ? "empty" : "not a key"}`,
        { hint: "take both keys from the vendor's console as they stand" },
      );
  }
}

function parseEndpoint(text: string, isPlainAllowed: boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    !["http:", "https:"].includes(url.protocol) ||
    url.username + url.password + url.search + url.hash !== ""
  ) {
    throw new ToolError(
      "USAGE",
      `use the vendor's API: its endpoint "${redactUrl(text).slice(0, 200)}" is not an http or https address, without user, query and fragment`,
      { hint: `write it as ${ENDPOINT}` },
    );
  }
  if (url.protocol === "http:" && !isPlainAllowed && !isLoopbackHost(url.host)) {
    throw new ToolError(
      "INSECURE_REFUSED",
      `use the vendor's API: "${url.origin}" is not encrypted`,
      { hint: `use ${url.origin.replace("http:", "https:")}` },
    );
  }
  return url;
}
