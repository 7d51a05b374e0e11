import type { CallOptions } from "../../../ground/bytes/index.ts";

/** What proves who we are. */
export type Credential =
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  | { readonly kind: "identity-token"; readonly token: string }
  /** A ready token that is sent as it is. */
  | { readonly kind: "registry-token"; readonly token: string };

export interface CredentialOptions extends CallOptions {
  /** Lets credentials that are kept for a part of a registry's names be found. */
  readonly repository?: string | undefined;
}

/** Where a credential came from; holds no secret. */
export interface CredentialOrigin {
  readonly registry: string;
  readonly kind: Credential["kind"] | "anonymous";
  /** In words: `the command line`, `DOCKER_AUTH_CONFIG`, `docker config`, `podman auth file`, `none`. */
  readonly source: string;
  readonly file?: string;
  /** The key that matched in the file, or was asked of the helper. */
  readonly key?: string;
  /** The helper's program. */
  readonly helper?: string;
  readonly username?: string;
  /** Places that were looked at and held nothing for this registry, in order. */
  readonly searched: readonly string[];
}

/** Finds credentials. Exact host match only; `undefined` means anonymous. */
export interface Keychain {
  /** @throws ToolError `CREDENTIAL_INVALID` naming the file or helper whose answer cannot be used. */
  credentialFor(registryHost: string, options?: CredentialOptions): Promise<Credential | undefined>;
  /** The same search, told as diagnostics. Never holds a secret. */
  describeCredential(registryHost: string, options?: CredentialOptions): Promise<CredentialOrigin>;
}
