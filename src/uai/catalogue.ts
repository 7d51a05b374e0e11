import { ToolError } from "../errors/index.ts";
import type { UaiFramework } from "./contracts.ts";

/** A framework's version, and how its base is made. */
export interface UaiRelease {
  readonly framework: UaiFramework;
  /** As `--ai_arch_v` has it. */
  readonly name: string;
  /** Absent for the vendor's closed images. */
  readonly recipe?: UaiRecipe;
}

export interface UaiRecipe {
  readonly base: string;
  /** As lines of a requirements file. */
  readonly requirements: readonly string[];
}

const PYTHON = "docker.io/library/python:3.12-slim-bookworm";

/** The rows of the old document, then today's versions; the first of today's is the default. */
const UAI_RELEASES: readonly UaiRelease[] = [
  ...["1.1.0", "1.2.0", "1.4.0", "1.6.0", "1.7.0", "1.8.0", "1.9.0", "1.10.0", "1.11.0", "1.12.0", "2.0.0a"].map((version): UaiRelease => ({ framework: "tf", name: `tensorflow-${version}` })),
  ...["caffe-1.0.0", "caffe-intel 1.0.0"].map((name): UaiRelease => ({ framework: "caffe", name })),
  ...["keras-1.2.0", "keras-2.0.8"].map((name): UaiRelease => ({ framework: "keras", name })),
  ...["mxnet-0.9.5", "mxnet-1.0.0"].map((name): UaiRelease => ({ framework: "mxnet", name })),
  { framework: "xgboost", name: "xgboost-0.7" },
  today("tf", "tensorflow-2.21.0", ["tensorflow-cpu==2.21.0", "pillow"]),
  today("tf", "tensorflow-2.19.0", ["tensorflow-cpu==2.19.0", "pillow"]),
  today("keras", "keras-3.15.1", ["keras==3.15.1", "tensorflow-cpu==2.21.0", "pillow"]),
  today("caffe", "caffe-opencv", ["opencv-python-headless<5", "numpy", "pillow"]),
  { framework: "mxnet", name: "mxnet-1.9.1", recipe: { base: "docker.io/library/python:3.8-slim-bookworm", requirements: ["mxnet==1.9.1", "numpy<1.24", "pillow"] } },
  today("pytorch", "pytorch", ["torch", "numpy", "pillow"]),
  today("onnx", "onnxruntime", ["onnxruntime", "numpy", "pillow"]),
  today("sklearn", "scikit-learn", ["scikit-learn", "joblib", "numpy", "pillow"]),
  today("xgboost", "xgboost", ["xgboost", "numpy", "pillow"]),
];

function today(framework: UaiFramework, name: string, requirements: readonly string[]): UaiRelease {
  return { framework, name, recipe: { base: PYTHON, requirements } };
}

/** Says what is wrong with `--ai_arch_v`; `undefined` when it fits the framework, or is not given. Beside a base of the user's own it need not be known. */
export function releaseProblem(framework: UaiFramework, name: string | undefined, { hasBase = false }: { readonly hasBase?: boolean } = {}): string | undefined {
  if (name === undefined) return undefined;
  const own = UAI_RELEASES.filter((release) => release.framework === framework);
  if (own.some((release) => release.name === name)) return undefined;
  const other = UAI_RELEASES.find((release) => release.name === name);
  if (other === undefined && hasBase) return undefined;
  const known = own.map((release) => release.name).join(", ");
  return other === undefined ? `--ai_arch_v: "${name}" is not known; known are ${known}` : `--ai_arch_v: "${name}" is a release for ${other.framework}, not for ${framework}; known are ${known}`;
}

/**
 * How the base of a release is made; without a name the first that can be made.
 * @throws ToolError `BASE_UNSUITABLE` for the vendor's closed images, and for a name that is not known.
 */
export function uaiRecipeOf(framework: UaiFramework, name: string | undefined): UaiRecipe {
  const own = UAI_RELEASES.filter((release) => release.framework === framework);
  const found = name === undefined ? own.find(({ recipe }) => recipe !== undefined) : own.find((release) => release.name === name);
  if (found?.recipe !== undefined) return found.recipe;
  const open = own.filter(({ recipe }) => recipe !== undefined).map((release) => release.name);
  throw new ToolError("BASE_UNSUITABLE", `packdocker ${framework} for "${name ?? ""}": its base images are the vendor's own, and closed`, { hint: `name an image of yours that has it with --bimg_name, or move to ${open.join(", ")}` });
}
