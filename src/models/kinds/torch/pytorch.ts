import { readFile } from "node:fs/promises";
import type { Candidate, KindRow, ModelFacts, ModelFile, Obstacle } from "../contracts.ts";
import { signatureOf } from "../files/datatype-names.ts";
import { parseJsonObject } from "../files/json-file.ts";
import {
  filesBeside,
  folderOf,
  headOf,
  invalidModel,
  modelFileAt,
  refuseImpostor,
} from "../files/model-file.ts";
import { firstNameIn, openZip, type ZipDirectory } from "../files/zip-file.ts";
import { openPickle } from "../pickle/container.ts";
import { PickleInput, streamFeed } from "../pickle/input.ts";
import { PickleError } from "../pickle/pickle-error.ts";
import { readExportedProgram } from "./exported-program.ts";
import { isLegacyTorch, readLegacyTorch, readTorchPickle, type TorchPickle } from "./state.ts";
import { codePathOf, methodsIn } from "./torchscript.ts";

const OWN_NAME = /\.(?:pt|pth|pt2|jit|ptl)$/i;
/** Endings that others use too; there the content decides. */
const SHARED_NAME = /\.(?:pkl|pickle|bin|model|ckpt|tar|ts|joblib|mar)$/i;
const WANT = "a PyTorch model";
const MAX_CODE_BYTES = 16 * 2 ** 20;
const MAX_PICKLE_BYTES = 64 * 2 ** 20;
const MAX_SOURCE_BYTES = 2 ** 20;
const EXPORTED = /^(?:.*\/)?(?:serialized_exported_program\.json|models\/[^/]+\.json)$/;

/** PyTorch: TorchScript and `torch.export` archives, and state dicts with the class that they belong to. */
export const pytorch: KindRow = {
  name: "pytorch",
  requirements: ["torch==2.6.0", "numpy"],
  async recognise(files) {
    const found = await Promise.all(
      files.map(async (file) => ((await isTorch(file)) ? [file] : [])),
    );
    return found.flat().map(({ path }): Candidate => ({
      kind: "pytorch",
      modelPath: path,
      isCertain: false,
      label: `PyTorch model "${path}"`,
      parts: [path],
    }));
  },
  async describe({ modelPath = "" }, files) {
    const file = modelFileAt(files, modelPath);
    refuseImpostor(file, WANT);
    const { content, bytes } = headOf(file);
    if (content === "zip") return await describeArchive(file, files);
    if (isLegacyTorch(bytes)) return describeLegacy(file, files);
    throw invalidModel(
      modelPath,
      "it is not a PyTorch model: neither an archive nor a file of torch.save",
    );
  },
};

async function isTorch(file: ModelFile): Promise<boolean> {
  if (OWN_NAME.test(file.path)) return true;
  if (!SHARED_NAME.test(file.path) || file.size === 0) return false;
  const { content, bytes } = headOf(file);
  if (content !== "zip") return isLegacyTorch(bytes);
  // The first entry of what torch.save writes is its pickle or its version; no need to read the directory.
  return /^[^/]+\/(?:data\.pkl|version|constants\.pkl|byteorder|\.format_version)/.test(
    firstNameIn(bytes),
  );
}

async function describeArchive(file: ModelFile, files: readonly ModelFile[]): Promise<ModelFacts> {
  await using zip = await openZip(file);
  const names = zip.entries.map(({ name }) => name);
  const exported = names.find((name) => EXPORTED.test(name));
  if (exported !== undefined) return await describeExported(file, zip, exported);
  const pickle = names.find((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickle === undefined)
    throw invalidModel(file.path, `it is a zip archive without data.pkl, not ${WANT}`);
  const root = pickle.slice(0, -"/data.pkl".length);
  const found = await pickleIn(file, zip, pickle);
  const versionName = names.find((name) => name === `${root}/version`);
  const version =
    versionName === undefined
      ? undefined
      : (await zip.read(versionName, 64)).toString("latin1").trim();
  const about = {
    container: "zip",
    archiveRoot: root,
    ...(version !== undefined && { serializationVersion: version }),
  };
  return names.includes(`${root}/constants.pkl`)
    ? await describeScript({ file, zip, root, about, className: found.className })
    : await describeState({ file, files, about, found });
}

async function pickleIn(file: ModelFile, zip: ZipDirectory, name: string): Promise<TorchPickle> {
  const bytes = await zip.read(name, MAX_PICKLE_BYTES);
  return readSafely(file, async () => {
    await using input = new PickleInput(streamFeed(chunksOf(bytes), MAX_PICKLE_BYTES));
    return await readTorchPickle(input);
  });
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function readSafely<T>(file: ModelFile, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    throw invalidModel(file.path, `its pickle is damaged or incomplete: ${error.message}`, {
      cause: error,
      hint: "save the model again, and copy the file whole",
    });
  }
}

interface Script {
  readonly file: ModelFile;
  readonly zip: ZipDirectory;
  readonly root: string;
  readonly about: Readonly<Record<string, string>>;
  readonly className: string;
}

async function describeScript({ file, zip, root, about, className }: Script): Promise<ModelFacts> {
  const { path, name } = codePathOf(className);
  const entry = `${root}/${path}`;
  const isThere = zip.entries.some((one) => one.name === entry);
  const code = isThere ? (await zip.read(entry, MAX_CODE_BYTES)).toString("utf8") : "";
  const methods = methodsIn(code, name);
  const forward = methods.find((method) => method.name === "forward");
  const extra = zip.entries
    .map((one) => one.name)
    .filter((one) => one.startsWith(`${root}/extra/`))
    .map((one) => one.slice(root.length + "/extra/".length));
  const others = methods.map((method) => method.name).join(", ");
  return {
    ...(forward !== undefined && {
      ...signatureOf(forward.inputs, forward.outputs),
      inputs: forward.inputs,
      outputs: forward.outputs,
    }),
    files: [file.path],
    warnings: [],
    details: {
      ...about,
      what: "torchscript",
      class: className,
      extraFiles: extra,
      ...(forward !== undefined && { forward: forward.signature }),
      methods: methods.map((method) => method.name),
    },
    ...(forward === undefined && {
      obstacle: {
        code: "MODEL_FILE_INVALID",
        why: `its TorchScript module has no forward method${others === "" ? "" : `, only ${others}`}`,
        hint: "export a module with forward, or write a class that calls the method you want",
      } satisfies Obstacle,
    }),
  };
}

async function describeExported(
  file: ModelFile,
  zip: ZipDirectory,
  name: string,
): Promise<ModelFacts> {
  const program = readExportedProgram(
    parseJsonObject(await zip.read(name, MAX_CODE_BYTES), `${file.path}/${name}`, WANT),
  );
  const { inputs, outputs, torchVersion } = program;
  return {
    ...signatureOf(inputs, outputs),
    inputs,
    outputs,
    files: [file.path],
    warnings: [],
    details: {
      container: "zip",
      archiveRoot: name.split("/")[0] ?? name,
      what: "torch.export",
      ...(torchVersion !== undefined && { torchVersion }),
    },
  };
}

async function describeLegacy(file: ModelFile, files: readonly ModelFile[]): Promise<ModelFacts> {
  const found = await readSafely(file, async () => {
    const { input } = await openPickle(file.location);
    if (input === undefined) throw new PickleError("it is packed");
    await using opened = input;
    return await readLegacyTorch(opened);
  });
  return describeState({ file, files, about: { container: "legacy torch pickle stream" }, found });
}

interface State {
  readonly file: ModelFile;
  readonly files: readonly ModelFile[];
  readonly about: Readonly<Record<string, string>>;
  readonly found: TorchPickle;
}

async function describeState({ file, files, about, found }: State): Promise<ModelFacts> {
  const { className, tensors, imports, keys } = found;
  const isState = tensors.length > 0;
  const source = isState ? await moduleBeside(file, files) : undefined;
  const parameters = tensors.reduce(
    (sum, { shape }) => sum + (shape ?? []).reduce((product, axis) => product * axis, 1),
    0,
  );
  return {
    files: [file.path, ...(source === undefined ? [] : [source.path])],
    warnings: [],
    details: {
      ...about,
      what: "pickle of tensors or objects",
      isStateDict: isState,
      class: className,
      imports,
      ...(isState && {
        tensors: Object.fromEntries(
          tensors.map(({ name, datatype = null, shape }) => [name, [datatype, shape]]),
        ),
        parameters,
      }),
      ...(!isState && keys.length > 0 && { keys }),
      ...(source !== undefined && { moduleClass: source.name, moduleFile: source.path }),
    },
    ...(source === undefined && { obstacle: stateObstacle(isState, className) }),
  };
}

function stateObstacle(isState: boolean, className: string): Obstacle {
  return isState
    ? {
        code: "MODEL_FILE_INVALID",
        why: "it is a PyTorch state dict: weights without the class that they belong to",
        hint: "put a Python file with the torch.nn.Module class beside it, or save a TorchScript or torch.export model",
      }
    : {
        code: "UNSUPPORTED",
        why: `it is a PyTorch pickle of a whole "${className}" object, whose class is not in the file`,
        hint: "save a TorchScript or torch.export model, or write a class that loads it",
      };
}

/** The only class of a module in a Python file beside the weights. Nothing is run. */
async function moduleBeside(
  file: ModelFile,
  files: readonly ModelFile[],
): Promise<{ readonly path: string; readonly name: string } | undefined> {
  const sources = filesBeside(files, folderOf(file.path)).filter(
    ({ path, size }) => path.endsWith(".py") && size <= MAX_SOURCE_BYTES,
  );
  const found = await Promise.all(
    sources.map(async ({ path, location }) => {
      const text = await readFile(location, "utf8");
      const classes = text.matchAll(/^class\s+(\w+)\s*\(\s*(?:torch\.)?(?:nn\.)?Module\s*\)\s*:/gm);
      return [...classes].map(([, name = ""]) => ({ path, name }));
    }),
  );
  const modules = found.flat();
  // The last one is the whole: parts are defined before what uses them.
  return modules.at(-1);
}
