import { hostnameOf } from "../../../ground/http/index.ts";

/** How uploads must be done at a registry that does not do what the spec says. */
export interface Quirks {
  /** PATCH requests are taken: content may go in parts, and before its digest is known. */
  readonly hasPatch: boolean;
  /** An upload that broke off can be taken up again. */
  readonly canResume: boolean;
  /** Answers to a mount can be believed; elsewhere a mount is not tried. */
  readonly canMount: boolean;
}

const STANDARD: Quirks = { hasPatch: true, canResume: true, canMount: true };
const ONE_PUT: Quirks = { hasPatch: false, canResume: false, canMount: true };

/** Host names, or endings of them that begin with a dot; the first that fits counts. */
const TABLE: readonly (readonly [pattern: string, quirks: Quirks])[] = [
  // A PATCH of more than 4 MiB is answered with 416.
  ["ghcr.io", ONE_PUT],
  // No chunked uploads.
  [".pkg.dev", ONE_PUT],
  ["gcr.io", ONE_PUT],
  [".gcr.io", ONE_PUT],
  // The first PATCH is answered with 201; an old session at byte 0 with 416.
  [".amazonaws.com", ONE_PUT],
  [".amazonaws.com.cn", ONE_PUT],
];

/** What is known of a registry by its host; the spec is assumed of all others. */
export function quirksOf(registryHost: string): Quirks {
  const name = hostnameOf(registryHost);
  return (
    TABLE.find(([pattern]) =>
      pattern.startsWith(".") ? name.endsWith(pattern) : name === pattern,
    )?.[1] ?? STANDARD
  );
}
