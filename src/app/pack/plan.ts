import { formatPlatform } from "../../images/oci/index.ts";
import type { PackProject } from "../../images/pack/index.ts";
import type { Detail } from "../../models/kinds/index.ts";
import type { ImageResult, PlanResult } from "../results.ts";
import type { Places } from "../session.ts";
import type { Packed } from "./deliver.ts";
import { forecastPush, registryNames, withSmallDigests, type FateOf } from "./forecast.ts";

/** What a plan is about. */
export interface PlanRequest {
  readonly project: Pick<PackProject, "name" | "kind" | "contract">;
  /** What the model is, for people. */
  readonly label: string;
  readonly details: Readonly<Record<string, Detail>>;
  readonly packed: readonly Packed[];
  readonly names: readonly string[];
  /** False when nothing would be pushed: no registry is asked. */
  readonly isPush: boolean;
}

/** What packing and pushing would come to. Small new files are hashed; nothing is sent. */
export async function planImages(request: PlanRequest, session: Places): Promise<PlanResult> {
  const { project, label, details, names } = request;
  const packed = await withSmallDigests(request.packed, session);
  const answers = await Promise.all(
    (request.isPush ? registryNames(names) : []).map((name) => forecastPush(name, packed, session)),
  );
  return {
    kind: "plan",
    name: project.name,
    model: { kind: project.kind, contract: project.contract, label, details },
    images: packed.map((one) => imageResult(one, { names, fateOf: answers[0]?.fateOf })),
    pushes: answers.map(({ forecast }) => forecast),
  };
}

/** A packed image as data. */
export function imageResult(
  { image, base }: Packed,
  about: { readonly names: readonly string[]; readonly fateOf?: FateOf | undefined },
): ImageResult {
  return {
    platform: formatPlatform(image.platform),
    names: about.names,
    isPushed: false,
    base: {
      name: base.name,
      digest: base.digest,
      python: base.facts.python?.version,
      glibc: base.facts.glibc,
    },
    layers: image.layers.map(({ label, kind, size, digest, state, layer }) => ({
      label,
      kind,
      size,
      digest,
      state,
      push: about.fateOf?.(layer),
    })),
  };
}
