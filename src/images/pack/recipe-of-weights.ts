import { ToolError } from "../../ground/errors/index.ts";
import { timeOf, type BaseImage, type ImageRecipe } from "../recipe/index.ts";
import type { ProjectTree } from "./context/walk.ts";
import type { PackProject } from "./contracts.ts";
import { WEIGHTS_KEY } from "./model-config.ts";
import { projectSteps } from "./recipe-of-model.ts";

/**
 * The image of a project's weights alone, on a base without layers: the same layers that the project's own image has them in. For image
 * volumes of Kubernetes and for KServe's `oci://`, both of which look below `/models`.
 * @throws ToolError `MODEL_NOT_DETECTED` when there are none; `UNSUPPORTED` for a contract that has them elsewhere
 */
export function recipeOfWeights(
  project: PackProject,
  tree: ProjectTree,
  { base, toolVersion }: { readonly base: BaseImage; readonly toolVersion: string },
): ImageRecipe {
  const { name, kind, code, contract, epochS } = project;
  if (contract === "uai")
    throw new ToolError(
      "UNSUPPORTED",
      `pack the weights of "${name}": the contract uai has them beside the code`,
      {
        hint: "pack the whole image, or name another contract",
      },
    );
  const steps = projectSteps(project, tree, base).filter(
    (step) => step.kind === "weights" || (code === undefined && step.kind === "files"),
  );
  if (steps.length === 0)
    throw new ToolError("MODEL_NOT_DETECTED", `pack the weights of "${name}": there are none`, {
      hint: "name the model file: --model FILE",
    });
  const annotations = {
    "org.opencontainers.image.created": timeOf(epochS),
    "org.opencontainers.image.title": name,
    "dev.slipway.version": toolVersion,
    "dev.slipway.kind": kind,
    [WEIGHTS_KEY]: "/models",
    ...project.annotations,
  };
  return {
    tool: "slipway pack",
    epochS,
    annotations,
    config: { labels: { ...annotations, ...project.labels } },
    steps,
  };
}
