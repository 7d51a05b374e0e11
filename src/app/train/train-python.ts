import { isOpen, mainModuleOf, type TrainJob } from "../../jobs/train/index.ts";
import { readPythonSources, sourceFile } from "../python/python-sources.ts";
import {
  refusePythonTwo,
  reviewPython,
  warnOfOldTensorFlow,
  warnOfRemarks,
} from "../python/review-python.ts";
import { warnOfImports } from "../python/warn-of-imports.ts";
import type { JsonCache } from "../../images/pack/index.ts";
import type { Packed } from "../pack/deliver.ts";
import type { Caller, Surroundings } from "../session.ts";
import type { ImageRequest } from "./train-images.ts";

/** The file that Python starts with; a module is a file, or a folder with one. */
function mainSourceOf({ mainFile }: TrainJob, { files }: ImageRequest["tree"]): string {
  const stem = mainModuleOf(mainFile)?.replaceAll(".", "/");
  const isPackage = files.some(({ path }) => path === `${stem ?? ""}/__main__.py`);
  return stem === undefined ? mainFile : `${stem}${isPackage ? "/__main__" : ""}.py`;
}

/** Says what the code imports and an image of it does not have. @returns what was said. */
export async function warnOfTrainImports(
  {
    job,
    image: { tree },
    packed: { base, image },
  }: { readonly job: TrainJob; readonly image: ImageRequest; readonly packed: Packed },
  about: { readonly cache: JsonCache; readonly said: readonly string[] },
  session: Surroundings,
): Promise<readonly string[]> {
  const sources = await readPythonSources(tree.files.map(sourceFile));
  const code = { mainFile: mainSourceOf(job, tree), sources, base, layers: image.layers };
  return warnOfImports(code, about, session);
}

/** The known bases have Python 3, and a base of the user's own may have Python 2. @throws ToolError `PROJECT_INVALID`. */
export async function reviewCode(
  {
    job,
    image: { tree, release, isOwnImage },
  }: { readonly job: TrainJob; readonly image: ImageRequest },
  session: Caller,
): Promise<void> {
  const review = reviewPython(
    mainSourceOf(job, tree),
    await readPythonSources(tree.files.map(sourceFile)),
  );
  const { problems, remarks } = review;
  const isKnown = release !== undefined && isOpen(release) && !isOwnImage;
  if (isKnown) {
    refusePythonTwo(review, { what: `pack for ${job.framework}`, caller: session });
    warnOfOldTensorFlow(review, session);
  } else warnOfRemarks({ remarks: [...problems, ...remarks] }, session);
}
