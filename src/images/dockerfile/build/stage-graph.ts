import { nearestName } from "../../../models/description/index.ts";
import { ProjectError } from "../../../ground/errors/index.ts";
import { formatPlatform, parsePlatform, type Platform } from "../../oci/index.ts";
import { expandWord, type Variables } from "../syntax/expand-words.ts";
import type { CopyInstruction, FromInstruction, Step } from "../syntax/instruction.ts";
import type { Dockerfile } from "../syntax/parse-dockerfile.ts";
import { dockerfileError, type SourcePosition } from "../syntax/place.ts";

/** What the caller says about a build. */
export interface StageOptions {
  /** `--build-arg` by name. */
  readonly buildArgs: Variables;
  /** `--target`: a stage's name, in any case. Default: the last stage. */
  readonly target: string | undefined;
  /** The platform of the image. */
  readonly platform: Platform;
  /** The platform of this machine. */
  readonly buildPlatform: Platform;
}

/** Where a stage begins. */
type StageBase =
  | { readonly kind: "scratch" }
  | { readonly kind: "stage"; readonly index: number }
  | { readonly kind: "image"; readonly name: string };

/** A stage with its base and platform put in. */
export interface ResolvedStage {
  readonly index: number;
  readonly name: string | undefined;
  readonly from: FromInstruction;
  readonly base: StageBase;
  readonly platform: Platform;
  readonly steps: readonly Step[];
}

/** The stages of a Dockerfile, and the one that is wanted. */
export interface StageGraph {
  readonly stages: readonly ResolvedStage[];
  readonly target: ResolvedStage;
  /** `ARG`s before the first `FROM`, and the platform's own: a stage sees one after it names it. */
  readonly globals: Variables;
}

/**
 * Puts variables into the `FROM` lines and finds which stage stands on which.
 * @throws ProjectError `DOCKERFILE_INVALID` with the place; `USAGE` for a target that is no stage.
 */
export function resolveStages(dockerfile: Dockerfile, options: StageOptions): StageGraph {
  const globals = globalVariables(dockerfile, options);
  const names = new Map<string, number>();
  const stages = dockerfile.stages.map(({ from, steps }, index): ResolvedStage => {
    const base = expandOrRefuse(from.base, globals, {
      place: from.place,
      escape: dockerfile.escape,
    });
    if (base === "")
      throw dockerfileError(from.place, `FROM: base name (${from.base}) should not be blank`, {
        hint: "set the variable with --build-arg, or give its ARG a default",
      });
    const parent = names.get(base);
    if (from.name !== undefined) names.set(from.name, index);
    return {
      index,
      name: from.name,
      from,
      base: baseOf(base, parent),
      platform: platformOf(from, { globals, escape: dockerfile.escape, target: options.platform }),
      steps,
    };
  });
  return { stages, target: targetOf(stages, options.target), globals };
}

function baseOf(name: string, parent: number | undefined): StageBase {
  if (parent !== undefined) return { kind: "stage", index: parent };
  return name === "scratch" ? { kind: "scratch" } : { kind: "image", name };
}

function platformOf(
  { platform: text, place }: FromInstruction,
  about: { readonly globals: Variables; readonly escape: string; readonly target: Platform },
): Platform {
  if (text === undefined || text === "") return about.target;
  const name = expandOrRefuse(text, about.globals, { place, escape: about.escape });
  if (name === "")
    throw dockerfileError(place, `FROM: empty platform value from expression ${text}`);
  try {
    return parsePlatform(name);
  } catch (error) {
    throw dockerfileError(
      place,
      `FROM: failed to parse platform ${text}: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
}

/** Puts variables into a text of an instruction. @throws ProjectError `DOCKERFILE_INVALID`. */
export function expandOrRefuse(
  text: string,
  variables: Variables,
  { place, escape }: { readonly place: SourcePosition; readonly escape: string },
): string {
  try {
    return expandWord(text, variables, { escape });
  } catch (error) {
    throw dockerfileError(place, (error as Error).message, { cause: error });
  }
}

function globalVariables(dockerfile: Dockerfile, options: StageOptions): Variables {
  const { buildArgs } = options;
  const variables = new Map(
    predefinedVariables(dockerfile, options).map(([name, value]) => [
      name,
      buildArgs.get(name) ?? value,
    ]),
  );
  for (const { args, place } of dockerfile.globalArgs)
    for (const { name, value } of args) {
      const given =
        buildArgs.get(name) ??
        (value === undefined
          ? undefined
          : expandOrRefuse(value, variables, { place, escape: dockerfile.escape }));
      if (given !== undefined) variables.set(name, given);
    }
  return variables;
}

/** What every Dockerfile can ask for by `ARG`. @see Dockerfile reference, "Automatic platform ARGs in the global scope" */
function predefinedVariables(
  dockerfile: Dockerfile,
  { platform, buildPlatform, target }: StageOptions,
): readonly (readonly [string, string])[] {
  const stage = target ?? dockerfile.stages.at(-1)?.from.name ?? "";
  const predefined: readonly (readonly [string, string])[] = [
    ["BUILDPLATFORM", formatPlatform(buildPlatform)],
    ["BUILDOS", buildPlatform.os],
    ["BUILDOSVERSION", ""],
    ["BUILDARCH", buildPlatform.architecture],
    ["BUILDVARIANT", buildPlatform.variant ?? ""],
    ["TARGETPLATFORM", formatPlatform(platform)],
    ["TARGETOS", platform.os],
    ["TARGETOSVERSION", ""],
    ["TARGETARCH", platform.architecture],
    ["TARGETVARIANT", platform.variant ?? ""],
    ["TARGETSTAGE", stage === "" ? "default" : stage],
  ];
  return predefined;
}

function targetOf(stages: readonly ResolvedStage[], target: string | undefined): ResolvedStage {
  const last = stages.at(-1) as ResolvedStage; // a Dockerfile has at least one stage
  if (target === undefined || target === "") return last;
  const found = stages.findLast(({ name }) => name === target.toLowerCase());
  if (found !== undefined) return found;
  const names = stages.flatMap(({ name }) => name ?? []);
  const near = nearestName(target, names);
  throw new ProjectError("USAGE", `build: target stage "${target}" could not be found`, {
    hint:
      near !== undefined
        ? `did you mean --target ${near}?`
        : names.length > 0
          ? `name one of ${names.join(", ")}`
          : "give the stage a name: FROM … AS NAME",
  });
}

/** Where `COPY --from` reads: a stage, or an image by name. */
export type CopySource =
  | { readonly kind: "stage"; readonly stage: ResolvedStage }
  | { readonly kind: "image"; readonly name: string };

/**
 * What `--from` names: a stage by name in any case or by number, else an image.
 * @throws ProjectError `DOCKERFILE_INVALID` for a stage that comes later or is this one, a number without a stage, a variable.
 */
export function copySourceOf(
  { from = "", kind, place }: Pick<Step, "kind" | "place"> & Pick<CopyInstruction, "from">,
  stages: readonly ResolvedStage[],
  current: ResolvedStage,
): CopySource {
  if (expandOrRefuse(from, new Map(), { place, escape: "\\" }) !== from)
    throw dockerfileError(place, `${kind}: variable expansion is not supported for --from`, {
      hint: "define a stage with FROM that uses an ARG from before the first FROM",
    });
  const isNumber = /^\d+$/.test(from);
  const stage = isNumber
    ? stages[Number(from)]
    : stages.findLast(({ name }) => name === from.toLowerCase());
  if (stage === undefined) {
    if (isNumber) throw dockerfileError(place, `${kind}: invalid stage index ${from}`);
    return { kind: "image", name: from };
  }
  if (stage.index >= current.index)
    throw dockerfileError(
      place,
      `${kind}: cannot copy from stage "${from}", it needs to be defined before ${current.name === undefined ? "the current stage" : `current stage "${current.name}"`}`,
    );
  return { kind: "stage", stage };
}
