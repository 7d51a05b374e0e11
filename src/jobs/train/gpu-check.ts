import type { CatalogueRow } from "../catalogue/index.ts";
import { ToolError } from "../../ground/errors/index.ts";

/** What is known of the machine that shall train. */
export interface GpuFacts {
  /** A card's name (`V100`), `sm_70`, or `7.0`. */
  readonly card?: string | undefined;
  /** Version of the driver, such as `535.104.05`. */
  readonly driver?: string | undefined;
}

const CARDS: Readonly<Record<string, number>> = {
  P40: 6.1,
  P4: 6.1,
  P100: 6,
  V100: 7,
  V100S: 7,
  T4: 7.5,
  A100: 8,
  A800: 8,
  A30: 8,
  A10: 8.6,
  A40: 8.6,
  RTX3090: 8.6,
  L4: 8.9,
  L20: 8.9,
  L40: 8.9,
  L40S: 8.9,
  RTX4090: 8.9,
  H100: 9,
  H800: 9,
  H20: 9,
  H200: 9,
  B200: 10,
  B300: 10.3,
  RTX5090: 12,
};

/** Oldest Linux driver that a CUDA generation works with. @see NVIDIA, "CUDA Compatibility", minor version compatibility */
const DRIVERS: Readonly<Record<string, string>> = {
  "11": "450.80.02",
  "12": "525.60.13",
  "13": "580.65.06",
};

/**
 * Says whether the wheels of a release work on a machine, in sentences.
 * @throws ToolError `BASE_UNSUITABLE` when they do not, `USAGE` for a card that is not known.
 */
export function checkGpu(
  release: Pick<CatalogueRow, "name" | "cuda">,
  facts: GpuFacts,
): readonly string[] {
  const { cuda } = release;
  if (cuda === undefined) return [];
  const least = DRIVERS[cuda.version.split(".")[0] ?? ""] ?? "0";
  const [oldest, newest] = cuda.capabilities;
  if (facts.driver !== undefined && compareVersions(facts.driver, least) < 0) {
    throw new ToolError(
      "BASE_UNSUITABLE",
      `${release.name} brings CUDA ${cuda.version}, which needs driver ${least} or newer, and the machine has ${facts.driver}`,
      { hint: "update the driver, or take an older release" },
    );
  }
  const capability = facts.card === undefined ? undefined : capabilityOf(facts.card);
  if (capability !== undefined && (capability < oldest || capability > newest)) {
    const isOld = capability < oldest;
    throw new ToolError(
      "BASE_UNSUITABLE",
      `${release.name} (CUDA ${cuda.version}) has code for cards of compute capability ${oldest.toFixed(1)} to ${newest.toFixed(1)}, and "${facts.card ?? ""}" has ${capability.toFixed(1)}`,
      {
        hint: isOld ? "take an older release" : "take a newer release",
      },
    );
  }
  return [
    `${release.name} brings CUDA ${cuda.version}: driver ${least} or newer, compute capability ${oldest.toFixed(1)} to ${newest.toFixed(1)}`,
  ];
}

function capabilityOf(text: string): number {
  const name = text.toUpperCase().replaceAll(/^(NVIDIA|TESLA|GEFORCE)|[\s-]/g, "");
  const [, sm] = /^SM_?(\d{2,3})A?$/.exec(name) ?? [];
  const number = sm === undefined ? Number(name) : Number(sm) / 10;
  const capability =
    CARDS[name] ?? (Number.isFinite(number) && number >= 2 && number < 20 ? number : undefined);
  if (capability === undefined)
    throw new ToolError("USAGE", `there is no card "${text}" that is known`, {
      hint: `write its compute capability, such as 8.6 or sm_86, or one of ${Object.keys(CARDS).join(", ")}`,
    });
  return capability;
}

function compareVersions(one: string, other: string): number {
  const [left, right] = [one, other].map((text) => text.split(".").map(Number));
  for (let index = 0; index < 4; index += 1) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
