// Options that `packdocker` and `train pack` have beside the old tools' flags.
import type { OldToolRequest } from "../pack/packing-request.ts";
import { flag, names, negated, text } from "./kinds.ts";
import type { Options } from "./option.ts";
import { PACKING } from "./shared.ts";

/** The request as words say it: a password comes by standard input only. */
export interface OldToolWords extends Omit<OldToolRequest, "password"> {
  readonly isPasswordOnStdin?: boolean | undefined;
  /** Shows what would be made and makes nothing. Default false. */
  readonly isDryRun?: boolean | undefined;
}

/** What differs from one command to the other: titles of its help, and what it calls its images. */
export interface OldToolTexts {
  readonly push: string;
  readonly apt: string;
  readonly dryRun: string;
  readonly headings?: {
    readonly packed?: string;
    readonly goes?: string;
    readonly stands?: string;
    readonly python?: string;
    readonly first?: string;
  };
}

/** The shared options, in the order of the help. */
export function oldToolOptions({
  push,
  apt,
  dryRun,
  headings = {},
}: OldToolTexts): Options<Omit<OldToolWords, "catalogue">> {
  const { packed, goes, stands, python, first } = headings;
  return {
    isConverted: PACKING.isConverted(packed),
    allowSecrets: PACKING.allowSecrets(packed),
    isPasswordOnStdin: flag(
      "--password-stdin",
      "read the registry's password from standard input",
      { heading: goes },
    ),
    isPush: negated("--no-push", push, { heading: goes }),
    indexUrl: PACKING.indexUrl(python),
    extraIndexUrls: PACKING.extraIndexUrls(python),
    allowMissingLibraries: PACKING.allowMissingLibraries(python),
    apt: names("--apt <packages>", apt, { heading: python }),
    findLinks: PACKING.findLinks(python),
    platform: text("--platform <os/arch>", "linux/amd64 (default) or linux/arm64", {
      heading: stands,
    }),
    isDryRun: flag("--dry-run", dryRun, { heading: first }),
  };
}
