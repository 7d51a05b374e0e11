import { badInput, type FormField } from "../seldon/index.ts";

const FORM = "application/x-www-form-urlencoded";
const BREAK = Buffer.from("\r\n\r\n");
/** Parts of one form; a form with more is refused. */
const MAX_PARTS = 1000;

/** A message as it came over HTTP: an exchange has all of it. */
export interface MessageSource {
  readonly body: Buffer;
  /** Behind the question mark; empty without one. */
  readonly query: string;
  /** Names are in lower case. */
  header(name: string): string | undefined;
}

export function isMultipart(contentType: string): boolean {
  return contentType.toLowerCase().includes("multipart/form-data");
}

/** The `json` of a form body, else that of the query; undefined when there is none, or an empty one. */
export function readFormField(source: MessageSource, contentType: string): string | undefined {
  if (contentType.toLowerCase().startsWith(FORM)) {
    const value = new URLSearchParams(source.body.toString("utf8")).get("json");
    if (value !== null && value !== "") return value;
  }
  if (source.query === "") return undefined;
  const value = new URLSearchParams(source.query).get("json");
  return value === null || value === "" ? undefined : value;
}

/**
 * The fields of a multipart form, the first one of each name, text fields before files. Contents are views of the body.
 * A body that does not follow its own boundary has none.
 * @throws SeldonError 500 when there are too many
 * @see RFC 7578
 */
export function readMultipart(body: Buffer, contentType: string): readonly FormField[] {
  const fields = new Map<string, FormField>();
  const mark = markOf(contentType);
  if (mark === undefined) return [];
  let count = 0;
  for (const field of partsOf(body, mark)) {
    if (field === "broken") return [];
    count += 1;
    if (count > MAX_PARTS) throw badInput(`more than ${MAX_PARTS} fields in the multipart form`);
    if (field !== undefined && !fields.has(field.name)) fields.set(field.name, field);
  }
  return [...fields.values()].sort((a, b) => Number(a.isFile) - Number(b.isFile));
}

/** The bytes before each part. */
function markOf(contentType: string): Buffer | undefined {
  const [, quoted, bare] = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? bare ?? "";
  return boundary === "" || boundary.length > 200
    ? undefined
    : Buffer.from(`--${boundary}`, "latin1");
}

function* partsOf(body: Buffer, mark: Buffer): Generator<FormField | "broken" | undefined> {
  let at = body.indexOf(mark);
  while (at >= 0) {
    const start = at + mark.byteLength;
    if (body[start] === 0x2d && body[start + 1] === 0x2d) return;
    const headEnd = body.indexOf(BREAK, start);
    at = headEnd < 0 ? -1 : nextMark(body, mark, headEnd + BREAK.byteLength - 2);
    if (at < 0) {
      yield "broken";
      return;
    }
    const from = headEnd + BREAK.byteLength;
    yield readPart(
      body.toString("utf8", start, headEnd),
      body.subarray(from, Math.max(at - 2, from)),
    );
  }
}

/** The next boundary at the beginning of a line. */
function nextMark(body: Buffer, mark: Buffer, from: number): number {
  let at = body.indexOf(mark, from);
  while (at >= 0 && !(body[at - 1] === 0x0a && body[at - 2] === 0x0d))
    at = body.indexOf(mark, at + 1);
  return at;
}

function readPart(head: string, content: Buffer): FormField | undefined {
  const disposition = head.split("\r\n").find((line) => /^content-disposition:/i.test(line)) ?? "";
  const name = parameterOf(disposition, "name");
  return name === undefined
    ? undefined
    : { name, content, isFile: parameterOf(disposition, "filename") !== undefined };
}

function parameterOf(header: string, name: string): string | undefined {
  const match = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]*))`, "i").exec(header);
  return match?.[1]?.replaceAll(/\\(.)/g, "$1") ?? match?.[2];
}
