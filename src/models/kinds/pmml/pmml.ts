import { createReadStream } from "node:fs";
import type { SAXParser } from "sax";
import type { KindRow, ModelFacts, ModelFile, StatedTensor } from "../contracts.ts";
import { datatypeNamed, signatureOf } from "../files/datatype-names.ts";
import { headOf, invalidModel, modelFileAt, refuseImpostor } from "../files/model-file.ts";

const WANT = "a PMML model";
/** The fields stand before the trees; what comes after this much is not needed. */
const MAX_READ_BYTES = 8 * 2 ** 20;
const TAIL_BYTES = 4096;
const MAX_FIELDS = 100_000;
const NO_MODEL = new Set([
  "Header",
  "MiningBuildTask",
  "DataDictionary",
  "TransformationDictionary",
  "Extension",
]);

/** PMML, the XML of the Data Mining Group. */
export const pmml: KindRow = {
  name: "pmml",
  requirements: ["pypmml==1.5.8"],
  recognise: (files) =>
    Promise.resolve(
      files.filter(isPmml).map(({ path }) => ({
        kind: "pmml",
        modelPath: path,
        isCertain: false,
        label: `PMML model "${path}"`,
      })),
    ),
  describe: ({ modelPath = "" }, files) => describePmml(modelFileAt(files, modelPath)),
};

function isPmml(file: ModelFile): boolean {
  if (/\.pmml$/i.test(file.path)) return true;
  if (!/\.xml$/i.test(file.path) || file.size === 0) return false;
  const { content, bytes } = headOf(file);
  return content === "xml" && /<(?:\w+:)?PMML[\s>]/.test(bytes.toString("utf8"));
}

/** What is gathered while the document passes by. */
interface PmmlDocument {
  version: string;
  model: string;
  function: string;
  readonly types: Map<string, { readonly datatype: string; readonly values: string[] }>;
  readonly active: string[];
  readonly targets: string[];
  readonly outputs: { readonly name: string; readonly datatype: string }[];
  isComplete: boolean;
}

async function describePmml(file: ModelFile): Promise<ModelFacts> {
  refuseImpostor(file, WANT);
  const found: PmmlDocument = {
    version: "",
    model: "",
    function: "",
    types: new Map(),
    active: [],
    targets: [],
    outputs: [],
    isComplete: false,
  };
  await parseDocument(file, found);
  if (found.version === "") throw invalidModel(file.path, `it is not ${WANT}: its root is no PMML`);
  if (found.model === "") throw invalidModel(file.path, `it is not ${WANT}: it has no model in it`);
  if (!found.isComplete) await checkEnd(file);
  return pmmlFacts(file.path, found);
}

/** Entities are never expanded: a document type is refused before any of it is used. */
async function parseDocument(file: ModelFile, found: PmmlDocument): Promise<void> {
  const { default: sax } = await import("sax"); // only when a PMML file is read
  const parser = sax.parser(true, { xmlns: false, position: false });
  let failure: Error | undefined;
  parser.onerror = (error) => {
    failure ??= error;
  };
  parser.ondoctype = () => {
    failure = new Error("it has a DOCTYPE, whose entities are not read");
  };
  follow(parser, found);
  const stream = createReadStream(file.location, { encoding: "utf8", end: MAX_READ_BYTES - 1 });
  for await (const chunk of stream) {
    parser.write(String(chunk));
    if (failure !== undefined) break;
  }
  if (failure === undefined && file.size <= MAX_READ_BYTES) {
    parser.close();
    found.isComplete = true;
  }
  if (failure === undefined) return;
  const why = failure.message.split("\n")[0] ?? "";
  throw invalidModel(file.path, `it is not well-formed XML, or truncated: ${why}`, {
    cause: failure,
    hint: "export the model again, and copy the file whole",
  });
}

/** An element as it opens: its name, those around it, and its attributes. */
interface OpenElement {
  readonly name: string;
  readonly path: readonly string[];
  readonly attribute: (key: string) => string;
}

function follow(parser: SAXParser, found: PmmlDocument): void {
  const path: string[] = [];
  const field = { name: "" };
  parser.onopentag = ({ name: whole, attributes }) => {
    const name = localName(whole);
    const attribute = (key: string): string => {
      const value = attributes[key];
      return typeof value === "string" ? value : "";
    };
    const element = { name, path, attribute };
    if (path.length < 2) addTop(found, element);
    addType(found, field, element);
    if (path.length === 3 && path[1] === found.model) addModelField(found, element);
    path.push(name);
  };
  parser.onclosetag = () => void path.pop();
}

function addTop(found: PmmlDocument, { name, path, attribute }: OpenElement): void {
  if (path.length === 0 && name === "PMML") found.version = attribute("version");
  if (path.length !== 1 || found.model !== "" || NO_MODEL.has(name)) return;
  found.model = name;
  found.function = attribute("functionName");
}

function addType(
  found: PmmlDocument,
  field: { name: string },
  { name, path, attribute }: OpenElement,
): void {
  const parent = path.at(-1);
  if (name === "DataField" && parent === "DataDictionary" && found.types.size < MAX_FIELDS) {
    field.name = attribute("name");
    found.types.set(field.name, { datatype: attribute("dataType"), values: [] });
  }
  if (name === "Value" && parent === "DataField" && !/^(in|mis)/.test(attribute("property")))
    found.types.get(field.name)?.values.push(attribute("value"));
}

function addModelField(found: PmmlDocument, { name, attribute }: OpenElement): void {
  if (name === "MiningField") addField(found, attribute);
  if (name === "OutputField" && found.outputs.length < MAX_FIELDS)
    found.outputs.push({ name: attribute("name"), datatype: attribute("dataType") });
}

function addField(found: PmmlDocument, attribute: (key: string) => string): void {
  const usage = attribute("usageType");
  const list = /^(target|predicted)$/.test(usage) ? found.targets : found.active;
  if (/^(|active|target|predicted)$/.test(usage) && list.length < MAX_FIELDS)
    list.push(attribute("name"));
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

/** The end of a long document stands for all that was not read. */
async function checkEnd(file: ModelFile): Promise<void> {
  let tail = "";
  const start = Math.max(0, file.size - TAIL_BYTES);
  for await (const chunk of createReadStream(file.location, { start })) tail += String(chunk);
  if (!/<\/(?:\w+:)?PMML>\s*$/.test(tail))
    throw invalidModel(file.path, "it is truncated: it does not end with </PMML>");
}

function pmmlFacts(path: string, found: PmmlDocument): ModelFacts {
  const [target] = found.targets;
  const classes = target === undefined ? [] : (found.types.get(target)?.values ?? []);
  const tensorOf = (name: string, type: string): StatedTensor => ({
    name,
    ...(type !== "" && { datatype: datatypeNamed(type) }),
    shape: [-1],
  });
  const inputs = found.active.map((name) => tensorOf(name, found.types.get(name)?.datatype ?? ""));
  const named = found.outputs.map(({ name, datatype }) => tensorOf(name, datatype));
  const outputs =
    named.length > 0 || target === undefined
      ? named
      : [tensorOf(target, found.types.get(target)?.datatype ?? "")];
  return {
    ...signatureOf(inputs, outputs),
    inputs,
    outputs,
    files: [path],
    warnings: [],
    ...(classes.length > 0 && { labels: classes }),
    details: {
      version: found.version,
      model: found.model,
      ...(found.function !== "" && { function: found.function }),
      activeFields: found.active,
      ...(target !== undefined && { target }),
      outputs: found.outputs.map(({ name }) => name),
      ...(classes.length > 0 && { classes }),
    },
  };
}
