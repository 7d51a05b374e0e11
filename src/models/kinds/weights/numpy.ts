import type { KindRow, ModelFacts, ModelFile, StatedTensor } from "../contracts.ts";
import { headOf, invalidModel, modelFileAt, refuseImpostor } from "../files/model-file.ts";
import { firstNameIn, openZip, type ZipDirectory } from "../files/zip-file.ts";

const NAME = /\.(?:npz|npy)$/i;
/** Endings of models that an archive of arrays is sometimes saved under. */
const SHARED_NAME = /\.(?:pkl|pickle|joblib|model|bin|h5)$/i;
/** Type codes of numbers; others stay as they are. */
const DATATYPES: Readonly<Record<string, string>> = {
  b1: "BOOL",
  u1: "UINT8",
  u2: "UINT16",
  u4: "UINT32",
  u8: "UINT64",
  i1: "INT8",
  i2: "INT16",
  i4: "INT32",
  i8: "INT64",
  f2: "FP16",
  f4: "FP32",
  f8: "FP64",
};
const MAX_HEAD_BYTES = 16_384;

/** Arrays of NumPy: described, so that it is clear what a file is. They are no model. */
export const numpy: KindRow = {
  name: "numpy",
  requirements: [],
  recognise: (files) =>
    Promise.resolve(
      files.filter(isNumpy).map(({ path }) => ({
        kind: "numpy",
        modelPath: path,
        isCertain: false,
        isDoubtful: true,
        label: `NumPy arrays "${path}"`,
      })),
    ),
  describe: ({ modelPath = "" }, files) => describeNumpy(modelFileAt(files, modelPath)),
};

function isNumpy(file: ModelFile): boolean {
  if (NAME.test(file.path)) return true;
  if (!SHARED_NAME.test(file.path) || file.size === 0) return false;
  const { content, bytes } = headOf(file);
  return content === "zip" && firstNameIn(bytes).endsWith(".npy");
}

async function describeNumpy(file: ModelFile): Promise<ModelFacts> {
  refuseImpostor(file, "a model");
  const arrays =
    headOf(file).content === "zip"
      ? await arraysIn(file)
      : [readHeader(file, headOf(file).bytes, "")];
  return {
    files: [file.path],
    warnings: [],
    details: {
      arrays: Object.fromEntries(
        arrays.map(({ name, datatype = null, shape }) => [name, [datatype, shape]]),
      ),
    },
    obstacle: {
      code: "UNSUPPORTED",
      why: `it is a NumPy file (npz) with the arrays ${arrays.map(({ name }) => name).join(", ")}, and no model`,
      hint: "write a class that builds the model from them",
    },
  };
}

async function arraysIn(file: ModelFile): Promise<readonly StatedTensor[]> {
  await using zip = await openZip(file);
  const names = zip.entries.map(({ name }) => name).filter((name) => name.endsWith(".npy"));
  const found: StatedTensor[] = [];
  for (const name of names.slice(0, 1000)) found.push(await arrayIn(file, zip, name));
  return found;
}

async function arrayIn(file: ModelFile, zip: ZipDirectory, name: string): Promise<StatedTensor> {
  return readHeader(file, await zip.readStart(name, MAX_HEAD_BYTES), name.slice(0, -".npy".length));
}

/** @see numpy, lib/format.py, "Format Version 1.0" */
function readHeader(file: ModelFile, head: Buffer, name: string): StatedTensor {
  if (head.toString("latin1", 0, 6) !== "\x93NUMPY")
    throw invalidModel(file.path, `"${name}" in it is no NumPy array`);
  const text = head.toString("latin1", 8, MAX_HEAD_BYTES);
  const dtype = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const shape = /'shape':\s*\(([^)]*)\)/.exec(text)?.[1];
  return {
    name,
    ...(dtype !== undefined && { datatype: DATATYPES[dtype.replace(/^[<|=]/, "")] ?? dtype }),
    shape:
      shape === undefined
        ? null
        : shape
            .split(",")
            .filter((axis) => axis.trim() !== "")
            .map(Number),
  };
}
