import { imageFormatOf } from "../../../models/inputs/index.ts";
import type { NamedTensor, PredictorFacts } from "../../plane/index.ts";
import { requestInvalid, shortName } from "../request-errors.ts";
import { specsOf, type Question, type SentImage } from "./question.ts";
import { readJsonBody } from "./read-json.ts";
import { tensorOfText, tensorsOfCsv } from "./read-table.ts";
import { SETTING_NAMES } from "./settings.ts";

const MAX_PARTS = 1000;

/**
 * Reads a multipart form. Files are pictures, CSV or JSON; a field called like an input is for it, any other name is for the only input.
 * Text fields are settings, or values in JSON of the input they are called like.
 * @throws InferenceError `REQUEST_INVALID`, `TENSOR_INVALID`
 * @see RFC 7578
 */
export async function readForm(
  body: Buffer,
  contentType: string,
  facts: PredictorFacts,
): Promise<Question> {
  const form = await formOf(body, contentType);
  const images: SentImage[] = [];
  const tensors: NamedTensor[] = [];
  const settings = new Map<string, string>();
  let parts = 0;
  for (const [name, value] of form) {
    parts += 1;
    if (parts > MAX_PARTS) throw requestInvalid(`the form has more than ${MAX_PARTS} parts`);
    const isInput = specsOf(facts)?.some((spec) => spec.name === name) === true;
    if (typeof value !== "string") {
      const bytes = Buffer.from(await value.arrayBuffer());
      if (imageFormatOf(bytes) !== undefined)
        images.push({ bytes, ...(isInput && { input: name }) });
      else tensors.push(...tensorsOfFile(bytes, { name, isInput, file: value.name }, facts));
    } else if (isInput) tensors.push(...tensorsOfValue(name, value, facts));
    else if (SETTING_NAMES.includes(name)) settings.set(name, value);
    else
      throw requestInvalid(
        `the form's field "${shortName(name)}" is neither an input nor a setting`,
        `settings are ${SETTING_NAMES.join(", ")}`,
      );
  }
  return { tensors, images, settings };
}

type Form = Awaited<ReturnType<Response["formData"]>>;

async function formOf(body: Buffer, contentType: string): Promise<Form> {
  try {
    const bytes = new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength); // bodies are never shared
    return await new Response(bytes, { headers: { "content-type": contentType } }).formData();
  } catch {
    // undici says no more than that it could not
    throw requestInvalid(
      "it is no multipart form of its own boundary",
      "send files as curl -F file=@FILE does",
    );
  }
}

interface SentFile {
  readonly name: string;
  readonly isInput: boolean;
  /** As the client calls it. */
  readonly file: string;
}

function tensorsOfFile(
  bytes: Buffer,
  { name, isInput, file }: SentFile,
  facts: PredictorFacts,
): readonly NamedTensor[] {
  const text = bytes.toString("utf8");
  if (isInput && /^\s*[[{"\d-]/.test(text) && !/\.csv$/i.test(file))
    return tensorsOfValue(name, text, facts);
  if (/\.csv$/i.test(file)) return tensorsOfCsv(text, facts);
  if (/^\s*[[{]/.test(text)) return readJsonBody(bytes, facts).tensors;
  if (/\.te?xt$/i.test(file)) return [tensorOfText(text, facts)];
  throw requestInvalid(
    `the file "${shortName(file)}" is no image, CSV or JSON`,
    "send JPEG, PNG, WebP or GIF, or name a table FILE.csv",
  );
}

/** The values of one input, in JSON. */
function tensorsOfValue(
  name: string,
  value: string,
  facts: PredictorFacts,
): readonly NamedTensor[] {
  const isText = specsOf(facts)?.find((spec) => spec.name === name)?.datatype === "BYTES";
  const json = isText && !/^\s*[["]/.test(value) ? JSON.stringify([value]) : value;
  const own = specsOf(facts)?.filter((spec) => spec.name === name) ?? [];
  const { signature, ...others } = facts;
  const about = { ...others, signature: { inputs: own, outputs: signature?.outputs ?? [] } };
  return readJsonBody(Buffer.from(`{"inputs":{${JSON.stringify(name)}:${json}}}`), about).tensors;
}
