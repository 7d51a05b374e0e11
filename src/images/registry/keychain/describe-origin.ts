import type { CredentialOrigin } from "./contracts.ts";

/** `the credential came from docker config "/home/mia/.docker/config.json"`, for hints; never holds a secret. */
export function describeOrigin({ source, file, helper }: CredentialOrigin): string {
  return `the credential came from ${source}${file === undefined ? "" : ` "${file}"`}${helper === undefined ? "" : ` (${helper})`}`;
}
