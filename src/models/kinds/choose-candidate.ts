import { kindRuntime, type ModelKind } from "../description/index.ts";
import type { Candidate } from "./contracts.ts";

/** What the project file or the command line has decided. */
export interface CandidateWishes {
  /** A file or folder, normalised; `.` for the whole. */
  readonly model?: string | undefined;
  readonly kind?: ModelKind | undefined;
}

/** What is left of the candidates: one, or several that nothing decides between, or none. */
export type Choice =
  | { readonly chosen: Candidate }
  | { readonly chosen?: undefined; readonly found: readonly Candidate[] };

/**
 * Chooses among all that was found. In this order: what `kind:` and `model:` do not name is dropped; so is what is part of another model
 * (a graph inside a SavedModel, weights of an MLflow folder). A class that is called like its file comes first, since it knows what to do
 * with the files beside it. Then models that are served, then other classes, then models that are only described, then files that little
 * speaks for. The first of these that has one, and one only, decides; one with several is an error, never a guess.
 */
export function chooseCandidate(
  candidates: readonly Candidate[],
  { model, kind }: CandidateWishes,
): Choice {
  const classes = candidates.filter((one) => one.kind === "class" && (kind ?? "class") === "class");
  const models = withoutParts(candidates.filter((one) => one.kind !== "class")).filter(
    (one) => (kind === undefined || one.kind === kind) && isNamed(one, model),
  );
  const sure = models.filter(({ isDoubtful }) => isDoubtful !== true);
  const isServed = (one: Candidate): boolean => kindRuntime(one.kind) !== "none";
  const steps = [
    classes.filter(({ isCertain }) => isCertain),
    sure.filter(isServed),
    classes,
    sure,
    models,
  ];
  const found = steps.find((step) => step.length > 0) ?? [];
  const [only] = found;
  if (found.length === 1 && only !== undefined)
    return {
      chosen: only.kind === "class" && model !== undefined ? { ...only, modelPath: model } : only,
    };
  const isClass = found[0]?.kind === "class";
  return { found: isClass || found.length === 0 ? found : [...found, ...classes] };
}

function isNamed({ modelPath = "", parts = [] }: Candidate, model: string | undefined): boolean {
  return (
    model === undefined ||
    model === "." ||
    modelPath === model ||
    modelPath.startsWith(`${model}/`) ||
    parts.includes(model)
  );
}

/** Drops candidates whose file is part of another one; of two that are part of each other the first stays. */
function withoutParts(candidates: readonly Candidate[]): readonly Candidate[] {
  const owns = ({ parts = [] }: Candidate, { modelPath = "" }: Candidate): boolean =>
    parts.some((part) => part === modelPath || modelPath.startsWith(`${part}/`));
  const dropped = new Set<Candidate>();
  for (const one of candidates)
    for (const other of candidates)
      if (
        one !== other &&
        !dropped.has(other) &&
        owns(other, one) &&
        !(owns(one, other) && candidates.indexOf(one) < candidates.indexOf(other))
      )
        dropped.add(one);
  return candidates.filter((one) => !dropped.has(one));
}
