import { strayFlagsOf, type UaiFramework, type UaiValues } from "../../jobs/uai/index.ts";
import type { OldToolRequest } from "../pack/packing-request.ts";
import type { Caller } from "../session.ts";
import type { TestEngine, UaiBaseSource, UaiServer } from "./packdocker-choices.ts";

/** An inference image to make, as the old tool's command of this name was asked for it. */
export interface PackdockerRequest extends OldToolRequest {
  readonly framework: UaiFramework;
  /** Values of the old tool's flags, by name. */
  readonly values: UaiValues;
  /** Further places: `oci:DIR`, `oci-archive:FILE`, `docker-archive:FILE`, `docker-daemon:REF` or `podman:REF`. */
  readonly outputs?: readonly string[] | undefined;
  /** Where to write the Dockerfile that would make the like of the image. */
  readonly dockerfile?: string | undefined;
  /** Also writes the configuration into the folder. Default false. */
  readonly hasConfWritten?: boolean | undefined;
  /** Default: the base's own where it brings one. */
  readonly server?: UaiServer | undefined;
  /** What names the base when the user does not. Default `catalogue`. */
  readonly baseFrom?: UaiBaseSource | undefined;
  readonly vendorEndpoint?: string | undefined;
  /** Tried before the image goes anywhere. */
  readonly test?: TestRequest | undefined;
  /** Requests in one call. Default 32. */
  readonly maxBatch?: number | undefined;
  readonly maxWaitMs?: number | undefined;
  /** `import tensorflow` gives the API of TensorFlow 1. Default: where the code uses it. */
  readonly isTf1?: boolean | undefined;
  /** Classes and functions, as `MODULE.NAME`, that pickles may import. */
  readonly allowPickle?: readonly string[] | undefined;
}

/** How a packed image is tried. */
export interface TestRequest {
  readonly files: readonly string[];
  /** Default: the engine that answers, else `none`. */
  readonly engine?: TestEngine | undefined;
  /** For the start, and for each answer. Default 120,000. */
  readonly timeoutMs?: number | undefined;
}

/** The old usage line had the flags of all frameworks for each of them: what this one has no use for is passed over, and that is said. */
export function warnOfStrays(
  { framework, values }: Pick<PackdockerRequest, "framework" | "values">,
  { emit }: Caller,
): void {
  const given = strayFlagsOf(framework).filter(({ name }) => values[name] !== undefined);
  if (given.length > 0)
    emit({
      kind: "warning",
      text: `${given.map(({ name }) => `--${name}`).join(" and ")}: ${framework} has no use for ${given.length === 1 ? "it" : "them"}`,
    });
}

/** Settings that only our server understands, as far as they are given, as the command line calls them. */
export function ownSettingsIn({
  maxBatch,
  maxWaitMs,
  isTf1,
}: PackdockerRequest): readonly string[] {
  return [
    ...(maxBatch === undefined ? [] : ["--max-batch"]),
    ...(maxWaitMs === undefined ? [] : ["--max-wait-ms"]),
    ...(isTf1 === true ? ["--tf1-compat"] : []),
  ];
}
