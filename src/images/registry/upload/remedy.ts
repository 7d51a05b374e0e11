import { isRetryable, type RegistryError } from "../../../ground/errors/index.ts";

/**
 * What to try after a failed upload request: continue at the byte the registry names, begin again,
 * send smaller parts, avoid PATCH, or give up.
 */
export type Remedy = "resume" | "restart" | "smaller" | "without-patch" | "none";

export interface RemedyFacts {
  /** The session's bytes did not all come in one go. */
  readonly isJoined: boolean;
  /** A fresh token was refused as well. */
  readonly isUnauthorizedAgain: boolean;
  readonly hasPatch: boolean;
}

/**
 * The statuses that registries answer when they do not know a session, or are at another byte of
 * it.
 */
const LOST = new Set([400, 404, 409, 410, 416]);

export function remedyFor(error: RegistryError, facts: RemedyFacts): Remedy {
  if (isRetryable(error)) return "resume";
  // The token ended while a body was on its way; the transport has dropped it and gets another.
  if (error.code === "REGISTRY_UNAUTHORIZED")
    return hasBody(error) && !facts.isUnauthorizedAgain ? "resume" : "none";
  // Another process may have written to the same session, or the registry lost count.
  if (error.code === "DIGEST_MISMATCH" || error.code === "SIZE_MISMATCH")
    return facts.isJoined ? "restart" : "none";
  return error.code === "REGISTRY_REFUSED" ? remedyForStatus(error, facts) : "none";
}

function hasBody({ method }: RegistryError): boolean {
  return method === "PATCH" || method === "PUT";
}

function remedyForStatus({ status = 0, method }: RegistryError, facts: RemedyFacts): Remedy {
  if (status === 413) return "smaller";
  if (method === "POST") return "none";
  if (method === "PATCH" && facts.hasPatch && (status === 405 || status === 501))
    return "without-patch";
  return LOST.has(status) ? "resume" : "none";
}
