import type { Call } from "../../../src/serving/calls/index.ts";

/** Ways in which a call is shown. */
export const LANGUAGES = ["curl", "python", "typescript", "grpcurl"] as const;
export type Language = (typeof LANGUAGES)[number];

/** Characters of a body that stand in the code; a longer one is a file beside it. */
const MAX_INLINE = 1200;
/** Name of that file. */
export const BODY_FILE = "request.json";

/** Where the server is. */
export interface ServerPlace {
  /** Such as `http://localhost:9000`. */
  readonly origin: string;
  readonly hostname: string;
  readonly isSecure: boolean;
  readonly grpcPort: number | undefined;
  /** True when calls have to show an API key, which the code takes from `SLIPWAY_API_KEY`. */
  readonly wantsKey: boolean;
}

/** True for a body that the code takes from a file. */
export function isInFile({ body }: Call): boolean {
  return typeof body !== "string" || body.length > MAX_INLINE;
}

/** A program, or a line for the shell, that makes a call; undefined where it cannot be made in that way. */
export function snippetOf(language: Language, call: Call, place: ServerPlace): string | undefined {
  switch (language) {
    case "curl":
      return curl(call, place);
    case "python":
      return python(call, place);
    case "typescript":
      return typescript(call, place);
    case "grpcurl":
      return grpcurl(call, place);
  }
}

function inlineBody(call: Call): string | undefined {
  return typeof call.body === "string" && !isInFile(call) ? call.body : undefined;
}

function fileOf({ body }: Call): string {
  return typeof body === "string" ? BODY_FILE : "name" in body ? String(body.name) : "input";
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function curl(call: Call, { origin, wantsKey }: ServerPlace): string {
  const body = inlineBody(call);
  const data =
    body === undefined ? `--data-binary ${quoted(`@${fileOf(call)}`)}` : `-d ${quoted(body)}`;
  return `curl -s ${origin}${call.path} \\\n  -H ${quoted(`Content-Type: ${call.contentType}`)} \\\n  ${keyOption(wantsKey)}${data}`;
}

function keyOption(isWanted: boolean): string {
  return isWanted ? `-H "Authorization: Bearer $SLIPWAY_API_KEY" \\\n  ` : "";
}

function python(call: Call, { origin, wantsKey }: ServerPlace): string {
  const body = inlineBody(call);
  const isPlain = body !== undefined && !body.includes('"""') && !/\\$|"$/.test(body);
  const data = isPlain
    ? `r"""${body}""".encode()`
    : `open(${JSON.stringify(fileOf(call))}, "rb").read()`;
  const read = isJson(call) ? "json.load(answer)" : "answer.read().decode()";
  const key = wantsKey ? ', "Authorization": "Bearer " + os.environ["SLIPWAY_API_KEY"]' : "";
  return `${isJson(call) ? "import json\n" : ""}${wantsKey ? "import os\n" : ""}import urllib.request

request = urllib.request.Request(
    ${JSON.stringify(origin + call.path)},
    data=${data},
    headers={"Content-Type": ${JSON.stringify(call.contentType)}${key}},
)
with urllib.request.urlopen(request) as answer:
    print(${read})`;
}

function isJson({ protocol }: Call): boolean {
  return protocol !== "service";
}

function typescript(call: Call, { origin, wantsKey }: ServerPlace): string {
  const body = inlineBody(call);
  const isFile = body === undefined;
  const isExact = body === undefined || !/\d{16,}/.test(body);
  const data = isFile
    ? `await readFile(${JSON.stringify(fileOf(call))})`
    : isJson(call) && isExact
      ? `JSON.stringify(${body})`
      : JSON.stringify(body);
  const key = wantsKey ? ", Authorization: `Bearer ${process.env.SLIPWAY_API_KEY}`" : "";
  return `${isFile ? 'import { readFile } from "node:fs/promises";\n\n' : ""}const answer = await fetch(${JSON.stringify(origin + call.path)}, {
  method: "POST",
  headers: { "Content-Type": ${JSON.stringify(call.contentType)}${key} },
  body: ${data},
});
if (!answer.ok) throw new Error(await answer.text());
console.log(${isJson(call) ? "JSON.stringify(await answer.json())" : "await answer.text()"});`;
}

function grpcurl(
  { grpc }: Call,
  { hostname, grpcPort, isSecure, wantsKey }: ServerPlace,
): string | undefined {
  if (grpc === undefined || grpcPort === undefined || grpc.message.length > MAX_INLINE)
    return undefined;
  const key = wantsKey ? '-H "Authorization: Bearer $SLIPWAY_API_KEY" \\\n  ' : "";
  return `grpcurl ${isSecure ? "" : "-plaintext "}${key}-d ${quoted(grpc.message)} \\\n  ${hostname}:${grpcPort} ${grpc.method}`;
}
