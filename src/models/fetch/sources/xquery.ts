import { stripControls, ToolError } from "../../../ground/errors/index.ts";
import type { FetchEnvironment } from "../contracts.ts";
import { headersFrom, type UrlRequest } from "./url-request.ts";

/** The default of `MODEL_URL_TEMPLATE`. */
const DEFAULT_TEMPLATE =
  "{XQUERY_ADDR}?model_id={MODEL_ID}&model_version={MODEL_VERSION}&guid={GUID}";

/**
 * The request that a model store gets: `MODEL_URL_TEMPLATE` with each `{NAME}` replaced by that variable, percent-encoded except the
 * address. A parameter whose variable is not set is left out. `MODEL_URL_METHOD=POST` sends the parameters as a form, with
 * `MODEL_URL_BODY=json` as JSON. Nothing when neither an address nor a template is set.
 * @throws ToolError `USAGE` naming the variable
 */
export function xqueryRequest(env: FetchEnvironment): UrlRequest | undefined {
  const address = env["XQUERY_ADDR"]?.trim() ?? "";
  const named = env["MODEL_URL_TEMPLATE"]?.trim() ?? "";
  if (address === "" && named === "") return undefined;
  const template = named === "" ? DEFAULT_TEMPLATE : named;
  if (named === "" && (env["MODEL_ID"]?.trim() ?? "") === "")
    throw wrongVariable("MODEL_ID", "it is not set, and XQUERY_ADDR is");
  const url = urlFrom(template, { ...env, XQUERY_ADDR: withScheme(address) });
  return { ...methodAndBody(url, env), label: labelOfStore(url, env), isStore: true };
}

/** The query may hold what nobody else should know; which model it is should be seen. */
function labelOfStore({ origin, pathname }: URL, env: FetchEnvironment): string {
  const shown = [env["MODEL_ID"], env["MODEL_VERSION"]].map((text) =>
    stripControls(text?.trim() ?? ""),
  );
  return [`${origin}${pathname}`, ...shown].filter((part) => part !== "").join(" ");
}

function urlFrom(template: string, env: FetchEnvironment): URL {
  const value = (name: string): string => {
    const text = env[name]?.trim() ?? "";
    return name === "XQUERY_ADDR" ? text : encodeURIComponent(text);
  };
  const [before, query] = splitAt(template, "?");
  const parts = query?.split("&").filter((part) => !isUnset(part, env));
  const whole = parts === undefined || parts.length === 0 ? before : `${before}?${parts.join("&")}`;
  const text = whole.replaceAll(/\{(\w+)\}/g, (_, name: string) => value(name));
  const joined = joinQueries(text);
  if (!/^https?:\/\//.test(joined) || !URL.canParse(joined))
    throw wrongVariable(
      env["MODEL_URL_TEMPLATE"] === undefined ? "XQUERY_ADDR" : "MODEL_URL_TEMPLATE",
      "it does not make an http or https URL",
    );
  return new URL(joined);
}

function splitAt(text: string, mark: string): readonly [string, string?] {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** True for a parameter that is nothing but a variable without a value. */
function isUnset(part: string, env: FetchEnvironment): boolean {
  const [, name] = /^[^=]*=\{(\w+)\}$/.exec(part) ?? [];
  return name !== undefined && (env[name]?.trim() ?? "") === "";
}

/** An address may have a query of its own. */
function joinQueries(text: string): string {
  const first = text.indexOf("?");
  return first < 0 ? text : text.slice(0, first + 1) + text.slice(first + 1).replaceAll("?", "&");
}

function withScheme(address: string): string {
  return address === "" || address.includes("://") ? address : `http://${address}`;
}

function methodAndBody(url: URL, env: FetchEnvironment): Omit<UrlRequest, "isStore" | "label"> {
  const method = (env["MODEL_URL_METHOD"]?.trim() || "GET").toUpperCase();
  const headers = headersFrom(env);
  if (method === "GET") return { method, url, headers };
  if (method !== "POST")
    throw wrongVariable("MODEL_URL_METHOD", `"${method}" is neither GET nor POST`);
  const form = (env["MODEL_URL_BODY"]?.trim() || "form").toLowerCase();
  if (form !== "form" && form !== "json")
    throw wrongVariable("MODEL_URL_BODY", `"${form}" is neither form nor json`);
  const bare = new URL(url);
  bare.search = "";
  const fields = url.searchParams;
  const text = form === "json" ? JSON.stringify(Object.fromEntries(fields)) : fields.toString();
  const type = form === "json" ? "application/json" : "application/x-www-form-urlencoded";
  return {
    method,
    url: bare,
    headers: { "content-type": type, ...headers },
    body: Buffer.from(text),
  };
}

function wrongVariable(name: string, why: string): ToolError {
  return new ToolError("USAGE", `read the variable ${name}: ${why}`, {
    hint: "set XQUERY_ADDR and MODEL_ID, or MODEL_URL_TEMPLATE, or MODEL_URI",
  });
}
