import { isOpen, mainModuleOf, type TrainJob } from "../../jobs/train/index.ts";
import { readPythonSources, sourceFile } from "../python/python-sources.ts";
import {
  refusePythonTwo,
  reviewPython,
  warnOfOldTensorFlow,
  warnOfRemarks,
} from "../python/review-python.ts";
import type { Caller } from "../session.ts";
import type { ImageRequest } from "./train-images.ts";

/** The file that Python starts with; a module is a file, or a folder with one. */
function mainSourceOf({ mainFile }: TrainJob, { files }: ImageRequest["tree"]): string {
  const stem = mainModuleOf(mainFile)?.replaceAll(".", "/");
  const isPackage = files.some(({ path }) => path === `${stem ?? ""}/__main__.py`);
  return stem === undefined ? mainFile : `${stem}${isPackage ? "/__main__" : ""}.py`;
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
