import { isToolError, stripControls } from "../../../ground/errors/index.ts";
import { parseReference } from "../../../images/oci/index.ts";
import type { EnvironmentPackage } from "./contracts.ts";

/** The answer is not of the expected form; its text never quotes the answer. Turned into a ToolError by the caller. */
export class AnswerFault extends Error {}

/** An answer whose `RetCode` was looked at. */
export type Answer = Readonly<Record<string, unknown>>;

const MAX_ENTRIES = 10_000;
const MAX_TEXT = 256;

/** Reads an answer's JSON. @throws AnswerFault when it is not an object with a whole number as `RetCode`. */
export function parseAnswer(bytes: Uint8Array): Answer & { readonly RetCode: number } {
  const answer = parseObject(bytes);
  const retCode = answer?.["RetCode"];
  if (answer === undefined) throw new AnswerFault("the answer is not a JSON object");
  if (!Number.isSafeInteger(retCode))
    throw new AnswerFault(`the answer has no whole number as "RetCode"`);
  return { ...answer, RetCode: Number(retCode) };
}

/** The `PkgSet` of an answer. @throws AnswerFault. */
export function parsePackages(answer: Answer): readonly EnvironmentPackage[] {
  return entriesOf(answer, "PkgSet").map((entry, index) => {
    if (!isObject(entry)) throw new AnswerFault(`"PkgSet" entry ${index} is not an object`);
    const at = (key: string): string => `"${key}" of "PkgSet" entry ${index}`;
    const name = textAt(entry["PkgName"], at("PkgName"));
    if (name === "") throw new AnswerFault(`${at("PkgName")} is empty`);
    return {
      name,
      version: textAt(entry["PkgVersion"] ?? "", at("PkgVersion")),
      id: idAt(entry["PkgId"], at("PkgId")),
    };
  });
}

/** The `BimgName` of an answer: names of images, each a legal one. @throws AnswerFault. */
export function parseImageNames(answer: Answer): readonly string[] {
  return entriesOf(answer, "BimgName").map((entry, index) => {
    const name = typeof entry === "string" ? entry : "";
    try {
      parseReference(name);
    } catch (error) {
      if (!isToolError(error)) throw error;
      throw new AnswerFault(`"BimgName" entry ${index} is not the name of an image`);
    }
    return name;
  });
}

/** Absent and null lists are empty ones: the service leaves them out when nothing fits. */
function entriesOf(answer: Answer, key: string): readonly unknown[] {
  const entries = answer[key] ?? [];
  if (!Array.isArray(entries)) throw new AnswerFault(`"${key}" is not a list`);
  if (entries.length > MAX_ENTRIES)
    throw new AnswerFault(`"${key}" has more than ${MAX_ENTRIES} entries`);
  return entries;
}

function textAt(value: unknown, where: string): string {
  if (typeof value !== "string" || value.length > MAX_TEXT || stripControls(value) !== value)
    throw new AnswerFault(`${where} is not a short text`);
  return value;
}

function idAt(value: unknown, where: string): string {
  const id = typeof value === "number" && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof id !== "string" || !/^[\w.-]{1,64}$/.test(id))
    throw new AnswerFault(`${where} is not an id`);
  return id;
}

function parseObject(bytes: Uint8Array): Answer | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // JSON.parse quotes the text in its error
  }
}

function isObject(value: unknown): value is Answer {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
