import type { ErrorCode } from "../../../ground/errors/index.ts";

/** What one `RetCode` of the vendor's API means to us. */
export interface RetCodeFacts {
  readonly code: ErrorCode;
  readonly meaning: string;
  readonly hint: string;
}

const KEYS = "check that the public and the private key belong together and are of this account";
const RIGHTS =
  "ask the account's owner for the right to use the inference service, and check the project";
const VALUES = "check region, zone, project and the names of the packages";
const LATER = "try again later, or name a base image with --bimg_name";
const ACCOUNT = "look at the account's balance and orders in the vendor's console";
const OURS = "check the endpoint; it may be of another version of the API";

/** Every code that the vendor's own tool knows. */
const RET_CODES: ReadonlyMap<number, RetCodeFacts> = new Map([
  [-1, { code: "REGISTRY_REFUSED", meaning: "unknown code", hint: LATER }],
  [100, { code: "REGISTRY_UNAUTHORIZED", meaning: "verification failed", hint: KEYS }],
  [110, { code: "TIMEOUT", meaning: "time out", hint: LATER }],
  [120, { code: "REGISTRY_REFUSED", meaning: "failure of its data", hint: LATER }],
  [130, { code: "REGISTRY_UNAVAILABLE", meaning: "service error", hint: LATER }],
  [140, { code: "REGISTRY_DENIED", meaning: "no permission for this user", hint: RIGHTS }],
  [150, { code: "REGISTRY_UNAVAILABLE", meaning: "service unavailable", hint: LATER }],
  [160, { code: "REGISTRY_REFUSED", meaning: "missing action", hint: OURS }],
  [170, { code: "REGISTRY_UNAUTHORIZED", meaning: "missing signature", hint: OURS }],
  [171, { code: "REGISTRY_UNAUTHORIZED", meaning: "wrong signature", hint: KEYS }],
  [180, { code: "REGISTRY_REFUSED", meaning: "missing version of the API", hint: OURS }],
  [190, { code: "REGISTRY_REFUSED", meaning: "wrong version of the API", hint: OURS }],
  [200, { code: "REGISTRY_REFUSED", meaning: "names cannot be read", hint: LATER }],
  [210, { code: "REGISTRY_REFUSED", meaning: "wrong value of a parameter", hint: VALUES }],
  [220, { code: "REGISTRY_REFUSED", meaning: "missing parameter", hint: VALUES }],
  [230, { code: "REGISTRY_REFUSED", meaning: "parameter not available", hint: VALUES }],
  [240, { code: "REGISTRY_DENIED", meaning: "no permission", hint: RIGHTS }],
  [260, { code: "REGISTRY_REFUSED", meaning: "deduction failed", hint: ACCOUNT }],
  [270, { code: "REGISTRY_REFUSED", meaning: "settlement failed", hint: ACCOUNT }],
  [300, { code: "REGISTRY_REFUSED", meaning: "parameters cannot be set", hint: VALUES }],
  [520, { code: "REGISTRY_REFUSED", meaning: "the balance does not suffice", hint: ACCOUNT }],
  [
    999,
    {
      code: "REGISTRY_REFUSED",
      meaning: "the service is not opened",
      hint: "open the inference service in the vendor's console",
    },
  ],
]);

/** The row of a code; unknown codes are refusals. */
export function retCodeFacts(retCode: number): RetCodeFacts {
  return (
    RET_CODES.get(retCode) ?? {
      code: "REGISTRY_REFUSED",
      meaning: "a code that is not known here",
      hint: VALUES,
    }
  );
}
