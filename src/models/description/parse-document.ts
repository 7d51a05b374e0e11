import type { Document, LineCounter, Node, Pair } from "yaml";
import { ProjectError } from "../../ground/errors/index.ts";
import type { JsonSchema } from "./json-schema.ts";
import { nearestName } from "./nearest.ts";
import { findProblem, type Problem } from "./validate.ts";

/** Way to a value: keys and places in lists. */
export type DocumentPath = readonly (string | number)[];

export interface DocumentOptions {
  /** How the file is called in errors. */
  readonly file: string;
  /** What the file is, such as `the project file`. */
  readonly what: string;
  readonly maxBytes: number;
  readonly schema: JsonSchema;
  /** Says in an error which part of the file it is about, such as `row "a"`, when that is more than the key path says. */
  readonly partOf?: (value: unknown, path: DocumentPath) => string | undefined;
}

/** A document that its schema allows. */
export interface CheckedDocument {
  /** An empty file has none of its keys. */
  readonly value: Readonly<Record<string, unknown>>;
  /** The error for what no schema can say, with the value's place. */
  readonly refuse: (path: DocumentPath, why: string, hint?: string) => ProjectError;
}

interface ParsedDocument extends DocumentOptions {
  readonly document: Document;
  readonly lines: LineCounter;
}

/**
 * Reads YAML or JSON that people wrote and checks it against a schema. The YAML and schema libraries are loaded here.
 * @throws ProjectError `PROJECT_INVALID` with file, line, column and key path; an unknown key names the nearest known one.
 */
export async function parseDocumentBy(
  text: string,
  options: DocumentOptions,
): Promise<CheckedDocument> {
  const { file, maxBytes, schema } = options;
  if (Buffer.byteLength(text) > maxBytes)
    throw new ProjectError(
      "PROJECT_INVALID",
      `read "${file}": it is larger than ${maxBytes} bytes`,
      { file },
    );
  const { LineCounter, parseDocument } = await import("yaml");
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, strict: true });
  const place: ParsedDocument = { ...options, document, lines };
  const [fault] = [...document.errors, ...document.warnings];
  if (fault !== undefined)
    throw errorAt(place, fault.pos[0], { why: fault.message.split("\n")[0] ?? "it is not YAML" });
  const value = toPlain(place);
  const problem = await findProblem(value, schema);
  if (problem !== undefined) throw explain(place, value, problem);
  return {
    value,
    refuse: (path, why, hint) =>
      errorAt(place, offsetOf(place, path), {
        why,
        keyPath: keyPathOf(path),
        part: place.partOf?.(value, path),
        hint,
      }),
  };
}

function toPlain(place: ParsedDocument): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = place.document.toJS({ maxAliasCount: 50 });
  } catch (error) {
    throw errorAt(place, 0, {
      why: (error as Error).message.split("\n")[0] ?? "it cannot be read",
      cause: error,
    });
  }
  if (value === null || value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value))
    throw errorAt(place, 0, { why: "it must hold keys and values" });
  return value as Readonly<Record<string, unknown>>;
}

function explain(place: ParsedDocument, value: unknown, problem: Problem): ProjectError {
  const { path } = problem;
  const keyPath = keyPathOf(path);
  const part = place.partOf?.(value, path);
  if (problem.kind === "unknown-key") {
    const key = String(path.at(-1));
    const known = Object.keys(problem.schema.properties ?? {});
    const nearest = nearestName(key, known);
    const where = path.length === 1 ? place.what : `"${keyPathOf(path.slice(0, -1))}"`;
    return errorAt(place, offsetOfKey(place, path), {
      why: `"${key}" is not a key of ${where}`,
      keyPath,
      part,
      isKeyNamed: true,
      hint:
        nearest === undefined ? `known keys are ${known.join(", ")}` : `did you mean "${nearest}"?`,
    });
  }
  if (problem.kind === "missing-key") {
    const key =
      problem.schema.required?.find((name) => at(value, [...path, name]) === undefined) ?? "";
    return errorAt(place, offsetOf(place, path), {
      why: `"${key}" is missing`,
      keyPath: keyPathOf([...path, key]),
      part,
      isKeyNamed: true,
    });
  }
  const offset = problem.kind === "bad-key" ? offsetOfKey(place, path) : offsetOf(place, path);
  const got =
    problem.kind === "bad-key" ? describeValue(path.at(-1)) : describeValue(at(value, path));
  return errorAt(place, offset, {
    why: `got ${got}, want ${expectedOf(problem.schema)}`,
    keyPath,
    part,
    hint: hintFor(problem.schema, at(value, path)),
  });
}

/** YAML reads 3.10 as the number 3.1, and yes, no, 1e3 and dates as other things than text. */
function hintFor(schema: JsonSchema, got: unknown): string | undefined {
  const wantsText =
    schema.type === "string" || schema.anyOf?.some(({ type }) => type === "string") === true;
  return wantsText && (typeof got === "number" || typeof got === "boolean")
    ? "write it in quotes"
    : undefined;
}

/** What a schema asks for, in words. */
function expectedOf(schema: JsonSchema): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(expectedOf).join(", or ");
  if (schema.enum !== undefined) return `one of ${schema.enum.join(", ")}`;
  return WORDS[schema.type ?? "string"](schema);
}

const WORDS: Readonly<Record<NonNullable<JsonSchema["type"]>, (schema: JsonSchema) => string>> = {
  integer: ({ minimum = 0, maximum }) =>
    maximum === undefined
      ? `a whole number of at least ${minimum}`
      : `a whole number from ${minimum} to ${maximum}`,
  number: ({ minimum, maximum }) =>
    minimum === undefined ? "a number" : `a number from ${minimum} to ${maximum ?? "any"}`,
  array: ({ minItems, uniqueItems, items = {} }) =>
    `a list${minItems === undefined ? "" : ` of at least ${minItems}`}${uniqueItems === true ? " without repeats" : ""}, each ${expectedOf(items)}`,
  object: () => "keys and values",
  boolean: () => "true or false",
  string: ({ title = "a text" }) => title,
};

function describeValue(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "keys and values";
  const text =
    typeof value === "string" ? JSON.stringify(value) : String(value as number | boolean);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function errorAt(
  place: ParsedDocument,
  offset: number,
  fault: {
    readonly why: string;
    readonly keyPath?: string;
    readonly part?: string | undefined;
    readonly isKeyNamed?: boolean;
    readonly hint?: string | undefined;
    readonly cause?: unknown;
  },
): ProjectError {
  const { file } = place;
  const { line, col } = place.lines.linePos(offset);
  const key =
    fault.isKeyNamed === true || fault.keyPath === undefined || fault.keyPath === ""
      ? ""
      : `${fault.keyPath}: `;
  const part = fault.part === undefined ? "" : `${fault.part}: `;
  return new ProjectError(
    "PROJECT_INVALID",
    `read "${file}" line ${Math.max(1, line)}, column ${Math.max(1, col)}: ${part}${key}${fault.why}`,
    {
      file,
      line: Math.max(1, line),
      column: Math.max(1, col),
      keyPath: fault.keyPath,
      hint: fault.hint,
      cause: fault.cause,
    },
  );
}

function keyPathOf(path: DocumentPath): string {
  return path
    .map((part, index) =>
      typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`,
    )
    .join("");
}

function at(value: unknown, path: DocumentPath): unknown {
  return path.reduce<unknown>(
    (inner, part) =>
      typeof inner === "object" && inner !== null
        ? (inner as Record<string | number, unknown>)[part]
        : undefined,
    value,
  );
}

/** Where a value begins; for one that is not there, where the nearest thing around it begins. */
function offsetOf(place: ParsedDocument, path: DocumentPath): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = place.document.getIn(path.slice(0, length), true);
    const start = (node as Node | undefined)?.range?.[0];
    if (start !== undefined) return start;
  }
  return place.document.contents?.range?.[0] ?? 0;
}

function offsetOfKey(place: ParsedDocument, path: DocumentPath): number {
  const parent =
    path.length === 1 ? place.document.contents : place.document.getIn(path.slice(0, -1), true);
  const pairs =
    (parent as { readonly items?: readonly Pair<Node>[] } | null | undefined)?.items ?? [];
  const pair = pairs.find(
    ({ key }) =>
      String((key as { readonly value?: unknown } | null)?.value) === String(path.at(-1)),
  );
  return pair?.key?.range?.[0] ?? offsetOf(place, path);
}
