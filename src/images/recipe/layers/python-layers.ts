import { ToolError } from "../../../ground/errors/index.ts";
import type { Layer } from "../../oci/index.ts";
import {
  buildPythonLayers,
  type PythonLayers,
  type PythonTarget,
} from "../../python-packages/index.ts";
import type { BaseImage } from "../base-image.ts";
import type { PackContext } from "../context.ts";
import type { PlannedLayer } from "../packed-image.ts";
import type { PythonRequirements } from "../recipe.ts";

/**
 * Layers with Python packages for the Python of a base, lowest first.
 * @throws ToolError `BASE_UNSUITABLE` for a base without Python 3 or glibc; what installing throws.
 */
export async function pythonPackageLayers(
  packages: PythonRequirements,
  base: BaseImage,
  context: PackContext,
): Promise<readonly PlannedLayer[]> {
  const python = await buildPythonLayers(
    { ...packages, target: targetOf(base) },
    {
      ...context,
      cache: context.cache("python"),
      workDir: context.cacheDir,
      ignoreLibraries: packages.ignoreLibraries,
      aptWay: packages.aptWay,
      onNote: context.onStep,
      onProgress: (event) => {
        if (event.kind === "resolve") context.onStep?.("resolving Python packages");
        if (event.kind === "install")
          context.onStep?.(`installing ${event.packages} Python packages into layers`);
      },
    },
  );
  return python.layers.map((layer) => ({
    label: layer.label,
    kind: "python",
    state: python.unpacked === 0 ? "cached" : "new",
    size: layer.descriptor.size,
    digest: layer.descriptor.digest,
    layer: storedLayer(layer),
    modules: python.packages
      .filter(({ name }) => layer.packages.includes(name))
      .flatMap(({ modules }) => modules),
  }));
}

function targetOf({ name, platform, facts: { python, glibc, sonames } }: BaseImage): PythonTarget {
  if (python === undefined || glibc === undefined) {
    throw new ToolError(
      "BASE_UNSUITABLE",
      `pack on "${name}": there are packages to install, and the base has no Python 3 with glibc`,
      { hint: "choose another base, or leave the requirements out" },
    );
  }
  return {
    pythonVersion: python.version.split(".").slice(0, 2).join("."),
    platform,
    libc: { kind: "glibc", version: glibc },
    interpreter: python.executable,
    libraries: sonames,
  };
}

function storedLayer(layer: PythonLayers["layers"][number]): Layer {
  return {
    descriptor: () => Promise.resolve(layer.descriptor),
    diffId: () => Promise.resolve(layer.diffId),
    open: (options) => layer.open(options),
  };
}
