import { login, logout, type LoginPlace } from "../../images/registry/index.ts";
import type { Places } from "../session.ts";
import { registryOptions } from "./places.ts";

/** A credential to check and keep. */
export interface LoginRequest {
  /** As image names have it. */
  readonly host: string;
  readonly username: string;
  readonly password: string;
}

/**
 * Asks the registry whether it takes a credential, and keeps it where docker keeps its own.
 * @throws RegistryError `REGISTRY_UNAUTHORIZED`, and what writing the place throws.
 */
export async function logIn(
  { host, username, password }: LoginRequest,
  session: Places,
): Promise<LoginPlace> {
  const { keychain: _, ...registry } = await registryOptions(host, session);
  return login({ registry, username, password, signal: session.signal });
}

/** Forgets a credential. @returns where it was; `undefined` when there was none. */
export async function logOut(host: string, session: Places): Promise<LoginPlace | undefined> {
  return logout({ host, environment: session.access.environment, signal: session.signal });
}
