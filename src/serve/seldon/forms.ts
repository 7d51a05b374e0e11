import { badInput, type FormField } from "../../protocol/index.ts";
import type { Exchange } from "../http/index.ts";

const FORM = "application/x-www-form-urlencoded";
const BREAK = Buffer.from("\r\n\r\n");
/** Parts of one form; a form with more is refused. */
const MAX_PARTS = 1000;

export function isMultipart(contentType: string): boolean {
  return contentType.toLowerCase().includes("multipart/form-data");
}

/** The `json` of a form body, else that of the query; undefined when there is none, or an empty one. */
export function readFormField(exchange: Exchange, contentType: string): string | undefined {
  if (contentType.toLowerCase().startsWith(FORM)) {
    const value = new URLSearchParams(exchange.body.toString("utf8")).get("json");
    if (value !== null && value !== "") return value;
  }
  if (exchange.query === "") return undefined;
  const value = new URLSearchParams(exchange.query).get("json");
  return value === null || value === "" ? undefined : value;
}

/**
 * The fields of a multipart form, the first one of each name, text fields before files. Contents are views of the body.
 * @throws SeldonError 500 when the body does not follow its own boundary
 * @see RFC 7578
 */
export function readMultipart(body: Buffer, contentType: string): readonly FormField[] {
  const boundary = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  const mark = Buffer.from(`--${boundary?.[1] ?? boundary?.[2] ?? ""}`, "latin1");
  if (boundary === null || mark.byteLength > 202) throw badInput("Missing boundary in the multipart form");
  const fields = new Map<string, FormField>();
  let at = body.indexOf(mark);
  for (let count = 0; at >= 0; count += 1) {
    const start = at + mark.byteLength;
    if (body[start] === 0x2d && body[start + 1] === 0x2d) break;
    if (count === MAX_PARTS) throw badInput(`more than ${MAX_PARTS} fields in the multipart form`);
    const headEnd = body.indexOf(BREAK, start);
    at = headEnd < 0 ? -1 : nextMark(body, mark, headEnd + BREAK.byteLength - 2);
    if (at < 0) throw badInput("Unexpected end of the multipart form");
    const field = readPart(body.toString("utf8", start, headEnd), body.subarray(headEnd + BREAK.byteLength, Math.max(at - 2, headEnd + BREAK.byteLength)));
    if (field !== undefined && !fields.has(field.name)) fields.set(field.name, field);
  }
  return [...fields.values()].sort((a, b) => Number(a.isFile) - Number(b.isFile));
}

/** The next boundary at the beginning of a line. */
function nextMark(body: Buffer, mark: Buffer, from: number): number {
  let at = body.indexOf(mark, from);
  while (at >= 0 && !(body[at - 1] === 0x0a && body[at - 2] === 0x0d)) at = body.indexOf(mark, at + 1);
  return at;
}

function readPart(head: string, content: Buffer): FormField | undefined {
  const disposition = head.split("\r\n").find((line) => /^content-disposition:/i.test(line)) ?? "";
  const name = parameterOf(disposition, "name");
  return name === undefined ? undefined : { name, content, isFile: parameterOf(disposition, "filename") !== undefined };
}

function parameterOf(header: string, name: string): string | undefined {
  const match = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]*))`, "i").exec(header);
  return match?.[1]?.replaceAll(/\\(.)/g, "$1") ?? match?.[2];
}
