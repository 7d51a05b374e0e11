import {
  buildImages,
  type BaseImage,
  type PackContext,
  type PackedImage,
} from "../recipe/index.ts";
import { checkBase } from "./base/check-base.ts";
import { refuseSecrets } from "./context/find-secrets.ts";
import type { ProjectTree } from "./context/walk.ts";
import type { PackProject } from "./contracts.ts";
import { recipeOfModel } from "./recipe-of-model.ts";
import { recipeOfWeights } from "./recipe-of-weights.ts";
import { recipeOfTraining, type CodeProject } from "./recipe-of-training.ts";

/**
 * Turns a project into one image for each base. The same project, bases and tool give the same images.
 * @param tree - what is in the project's folder
 * @param onChecked - called when nothing speaks against the project and the bases, before anything is made; what it throws ends the pack
 * @throws ToolError `SECRET_IN_CONTEXT`, `BASE_UNSUITABLE`, and as `buildImages`.
 */
export async function packImages(
  {
    project,
    tree,
    onChecked,
  }: {
    readonly project: PackProject;
    readonly tree: ProjectTree;
    readonly onChecked?: (() => Promise<void>) | undefined;
  },
  bases: readonly BaseImage[],
  context: PackContext,
): Promise<readonly PackedImage[]> {
  for (const base of bases) checkBase(project, base);
  await refuseSecrets(tree.files, {
    allow: project.allowSecrets,
    settings: { env: project.env, labels: project.labels, annotations: project.annotations },
    signal: context.signal,
  });
  await onChecked?.();
  const recipeOf = project.isWeightsAlone === true ? recipeOfWeights : recipeOfModel;
  const about = { toolVersion: context.tool.version };
  const orders = bases.map((base) => ({
    base,
    recipe: recipeOf(project, tree, { ...about, base }),
  }));
  return buildImages(orders, context);
}

/**
 * Puts training code and its packages onto a base.
 * @param tree - what is in the project's folder; `refuseSecrets` has been asked about it
 * @throws ToolError as `buildImages`.
 */
export async function packTraining(
  { project, tree }: { readonly project: CodeProject; readonly tree: ProjectTree },
  base: BaseImage,
  context: PackContext,
): Promise<PackedImage> {
  const recipe = recipeOfTraining(project, tree, { base, toolVersion: context.tool.version });
  const [image] = await buildImages([{ base, recipe }], context);
  if (image === undefined) throw new Error("one order makes one image");
  return image;
}
