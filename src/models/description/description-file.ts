import { ProjectError } from "../../ground/errors/index.ts";
import { DATATYPES, type Signature, type TensorSpec } from "../tensor/index.ts";
import {
  type CodeEntry,
  CONTRACTS,
  type ModelDescription,
  type Ports,
  type ServerSettings,
  type ServiceType,
} from "./description.ts";
import { MODEL_KINDS } from "./kinds.ts";
import {
  parsePostprocess,
  parsePreprocess,
  printPostprocess,
  printPreprocess,
} from "./processing-file.ts";

type Fields = Readonly<Record<string, unknown>>;

const SERVICES: readonly ServiceType[] = [
  "MODEL",
  "ROUTER",
  "TRANSFORMER",
  "COMBINER",
  "OUTLIER_DETECTOR",
];
const LANGUAGES: readonly CodeEntry["language"][] = ["python", "javascript"];
const LIMITS: readonly (keyof ServerSettings)[] = [
  "workers",
  "maxBatch",
  "maxWaitMs",
  "padValue",
  "maxBodyBytes",
  "timeoutMs",
  "maxQueue",
  "workerMemoryMib",
];
const MAX_BYTES = 8 * 2 ** 20;
const MAX_TENSORS = 10_000;
const MAX_LABELS = 200_000;

/** The bytes of `/opt/slipway/model.json`: keys in a fixed order, absent ones left out, so that equal descriptions give equal bytes. */
export function printDescription(description: ModelDescription): Uint8Array {
  const {
    schemaVersion,
    name,
    kind,
    contract,
    service,
    modelPath,
    codePath,
    code,
    signature,
    ports,
    server,
    python,
    allowPickle,
    preprocess,
    postprocess,
    labels,
  } = description;
  const ordered = {
    schemaVersion,
    name,
    kind,
    contract,
    service,
    modelPath,
    codePath,
    code:
      code === undefined
        ? undefined
        : { file: code.file, name: code.name, language: code.language },
    signature:
      signature === undefined
        ? undefined
        : { inputs: signature.inputs.map(printSpec), outputs: signature.outputs.map(printSpec) },
    ports: { http: ports.http, grpc: ports.grpc, metrics: ports.metrics },
    server: Object.fromEntries(
      LIMITS.flatMap((key) => (server[key] === undefined ? [] : [[key, server[key]]])),
    ),
    python: python === undefined ? undefined : { executable: python.executable, path: python.path },
    allowPickle,
    preprocess: preprocess === undefined ? undefined : printPreprocess(preprocess),
    postprocess: postprocess === undefined ? undefined : printPostprocess(postprocess),
    labels,
  };
  return Buffer.from(`${JSON.stringify(ordered, undefined, 2)}\n`);
}

function printSpec({ name, datatype, shape, isRankUnknown }: TensorSpec): TensorSpec {
  return { name, datatype, shape, ...(isRankUnknown === true && { isRankUnknown }) };
}

/**
 * Reads what `printDescription` wrote. Unknown keys are ignored, so that an older server reads a newer image.
 * @param file - how the file is called in errors.
 * @throws ProjectError `PROJECT_INVALID` naming the key.
 */
export function parseDescription(bytes: Uint8Array, file = "model.json"): ModelDescription {
  const read = createReader(file);
  const fields = read.document(bytes);
  if (fields["schemaVersion"] !== 1)
    throw read.wrong("schemaVersion", "1; a newer slipway made this image");
  const { code, signature, python, allowPickle } = fields;
  const { preprocess, postprocess, labels } = fields;
  const ports = read.object(fields["ports"], "ports");
  return {
    schemaVersion: 1,
    name: read.text(fields["name"], "name"),
    kind: read.oneOf(fields["kind"], "kind", MODEL_KINDS),
    contract: read.oneOf(fields["contract"], "contract", CONTRACTS),
    service: read.oneOf(fields["service"], "service", SERVICES),
    ...optional("modelPath", fields["modelPath"], (value) => read.text(value, "modelPath")),
    ...optional("codePath", fields["codePath"], (value) => read.text(value, "codePath")),
    ...optional("code", code, (value) => parseCode(value, read)),
    ...optional("signature", signature, (value) => parseSignature(value, read)),
    ports: parsePorts(ports, read),
    server: parseServer(fields["server"], read),
    ...optional("python", python, (value) => parsePython(value, read)),
    ...optional("allowPickle", allowPickle, (value) =>
      read.list(value, "allowPickle").map((name) => read.text(name, "allowPickle")),
    ),
    ...optional("preprocess", preprocess, (value) =>
      parsePreprocess(read.object(value, "preprocess"), file),
    ),
    ...optional("postprocess", postprocess, (value) =>
      parsePostprocess(read.object(value, "postprocess"), file),
    ),
    ...optional("labels", labels, (value) => parseLabels(value, read)),
  };
}

type Reader = ReturnType<typeof createReader>;

function createReader(file: string) {
  const wrong = (keyPath: string, want: string): ProjectError =>
    new ProjectError(
      "PROJECT_INVALID",
      `read "${file}": ${keyPath === "" ? "it" : keyPath} is not ${want}`,
      { file, keyPath },
    );
  return {
    wrong,
    document(bytes: Uint8Array): Fields {
      if (bytes.byteLength > MAX_BYTES) throw wrong("", `at most ${MAX_BYTES} bytes long`);
      try {
        return this.object(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)), "");
      } catch (error) {
        if (error instanceof ProjectError) throw error;
        throw new ProjectError("PROJECT_INVALID", `read "${file}": it is not JSON`, {
          file,
          cause: error,
        });
      }
    },
    object(value: unknown, keyPath: string): Fields {
      if (typeof value !== "object" || value === null || Array.isArray(value))
        throw wrong(keyPath, "an object");
      return value as Fields;
    },
    text(value: unknown, keyPath: string): string {
      if (typeof value !== "string" || value === "" || value.includes("\0"))
        throw wrong(keyPath, "a text of at least one character");
      return value;
    },
    list(value: unknown, keyPath: string): readonly unknown[] {
      if (!Array.isArray(value) || value.length > MAX_TENSORS)
        throw wrong(keyPath, `a list of at most ${MAX_TENSORS}`);
      return value;
    },
    oneOf<T extends string>(value: unknown, keyPath: string, known: readonly T[]): T {
      const found = known.find((one) => one === value);
      if (found === undefined) throw wrong(keyPath, `one of ${known.join(", ")}`);
      return found;
    },
    whole(value: unknown, keyPath: string, minimum: number): number {
      if (typeof value !== "number" || !Number.isSafeInteger(value) || value < minimum)
        throw wrong(keyPath, `a whole number of at least ${minimum}`);
      return value;
    },
  };
}

function optional<K extends string, T>(
  key: K,
  value: unknown,
  parse: (value: unknown) => T,
): { readonly [P in K]?: T } {
  // A computed key has the type string; here it is exactly K.
  return (value === undefined ? {} : { [key]: parse(value) }) as { readonly [P in K]?: T };
}

function parseCode(value: unknown, read: Reader): CodeEntry {
  const { file, name, language } = read.object(value, "code");
  return {
    file: read.text(file, "code.file"),
    name: read.text(name, "code.name"),
    language: read.oneOf(language, "code.language", LANGUAGES),
  };
}

function parseSignature(value: unknown, read: Reader): Signature {
  const { inputs, outputs } = read.object(value, "signature");
  return {
    inputs: parseSpecs(inputs, "signature.inputs", read),
    outputs: parseSpecs(outputs, "signature.outputs", read),
  };
}

function parseSpecs(value: unknown, keyPath: string, read: Reader): readonly TensorSpec[] {
  return read.list(value, keyPath).map((item, index) => {
    const { name, datatype, shape, isRankUnknown } = read.object(item, `${keyPath}[${index}]`);
    return {
      ...(isRankUnknown === true && { isRankUnknown }),
      name: read.text(name, `${keyPath}[${index}].name`),
      datatype: read.oneOf(datatype, `${keyPath}[${index}].datatype`, DATATYPES),
      shape: read
        .list(shape, `${keyPath}[${index}].shape`)
        .map((size) => read.whole(size, `${keyPath}[${index}].shape`, -1)),
    };
  });
}

function parseLabels(value: unknown, read: Reader): readonly string[] {
  const isList = Array.isArray(value) && value.length <= MAX_LABELS;
  if (isList && value.every((label) => typeof label === "string")) return value;
  throw read.wrong("labels", `a list of at most ${MAX_LABELS} texts`);
}

function parsePorts({ http, grpc, metrics }: Fields, read: Reader): Ports {
  return {
    http: read.whole(http, "ports.http", 1),
    ...optional("grpc", grpc, (value) => read.whole(value, "ports.grpc", 1)),
    ...optional("metrics", metrics, (value) => read.whole(value, "ports.metrics", 1)),
  };
}

function parseServer(value: unknown, read: Reader): ServerSettings {
  const fields = read.object(value, "server");
  return Object.fromEntries(
    LIMITS.flatMap((key) =>
      fields[key] === undefined
        ? []
        : [[key, read.whole(fields[key], `server.${key}`, key === "padValue" ? -(2 ** 31) : 0)]],
    ),
  );
}

function parsePython(
  value: unknown,
  read: Reader,
): { readonly executable: string; readonly path: readonly string[] } {
  const { executable, path } = read.object(value, "python");
  return {
    executable: read.text(executable, "python.executable"),
    path: read
      .list(path, "python.path")
      .map((item, index) => read.text(item, `python.path[${index}]`)),
  };
}
