import { RegistryError } from "../../../ground/errors/index.ts";
import { formatScope, covers, mergeScopes, parseScopes, type Scope } from "./scope.ts";
import { basicHeader, checkRealm, fetchToken, type TokenService } from "./fetch-token.ts";
import { parseChallenges, type Challenge } from "./challenge.ts";
import { waitFor } from "../transport/wait-for.ts";
import type { CallOptions } from "../../../ground/bytes/index.ts";
import type { HttpClient, HttpResponse } from "../../../ground/http/index.ts";
import type { Credential, Keychain } from "../keychain/contracts.ts";
import { describeOrigin } from "../keychain/describe-origin.ts";

/** What a request needs to be allowed. */
export interface Need extends CallOptions {
  readonly action: string;
  /** The repository whose credential is used; the first of several when a blob is mounted. */
  readonly repository?: string | undefined;
  readonly scopes: readonly Scope[];
}

/** Knows how one registry wants to be asked, and keeps its tokens. */
export interface Authorizer {
  /**
   * The `Authorization` header for a request. Undefined until the registry asks for one, and when
   * there is no account for it.
   */
  headerFor(need: Need): Promise<string | undefined>;
  /** Learns from an answer how the registry wants to be asked. A 401 drops the token that was refused. @returns true when asking again may help. */
  learn(response: HttpResponse, need: Need, used: string | undefined): boolean;
  /** True when there is a credential for the repository, whether or not it was asked for. */
  hasCredential(need: Need): Promise<boolean>;
}

export interface AuthorizerOptions {
  /** The name under which credentials are kept. */
  readonly registry: string;
  readonly client: HttpClient;
  readonly keychain?: Keychain | undefined;
  /** The registry's origin; known when the first answer has come. */
  readonly origin: () => URL;
  /** Milliseconds from any fixed point. Default `performance.now`. */
  readonly now?: (() => number) | undefined;
}

type Method =
  | { readonly kind: "none" }
  | { readonly kind: "basic" }
  | { readonly kind: "bearer"; readonly realm: string; readonly service?: string };

interface KeptToken {
  readonly value: string;
  readonly repository: string | undefined;
  readonly scopes: readonly Scope[];
  /** By `now`; the token is not used from then on. */
  readonly renewAt: number;
}

/** A token is renewed this long before it ends, or when a fifth of its life is left, whichever is shorter. */
const RENEW_EARLY_MS = 15_000;
const MAX_LEARNED_SCOPES = 8;

/** @see distribution, docs/content/spec/auth/token.md */
export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  const tokens = createTokens(options);
  const learned = new Map<string, readonly Scope[]>();
  let method: Method = { kind: "none" };
  const wantedBy = (need: Need): readonly Scope[] =>
    mergeScopes([...need.scopes, ...(learned.get(keyOf(need)) ?? [])]);
  return {
    async headerFor(need) {
      if (method.kind === "none") return undefined;
      if (method.kind === "bearer")
        return `Bearer ${(await tokens.get(need, method, wantedBy(need))).value}`;
      const credential = await waitFor(tokens.credentialFor(need.repository), need.signal);
      if (credential === undefined) return undefined;
      return credential.kind === "registry-token"
        ? `Bearer ${credential.token}`
        : basicHeader(credential);
    },
    learn(response, need, used) {
      const asked = methodOf(parseChallenges(response.headers("www-authenticate")));
      if (response.status !== 401 || asked === undefined) return false;
      if (used !== undefined) tokens.forget(used);
      method = asked.method;
      if (asked.scopes.length > 0)
        learned.set(
          keyOf(need),
          mergeScopes([...(learned.get(keyOf(need)) ?? []), ...asked.scopes]).slice(
            0,
            MAX_LEARNED_SCOPES,
          ),
        );
      return asked.method.kind === "bearer" || used === undefined;
    },
    hasCredential: async (need) =>
      (await waitFor(tokens.credentialFor(need.repository), need.signal)) !== undefined,
  };
}

type Bearer = Extract<Method, { readonly kind: "bearer" }>;

/** Tokens that are still good, and the credentials that they are asked for with. */
interface Tokens {
  credentialFor(repository: string | undefined): Promise<Credential | undefined>;
  /** A token that covers the scopes: a kept one, else a new one, which all that want the same share. */
  get(need: Need, service: Bearer, scopes: readonly Scope[]): Promise<KeptToken>;
  /** Lets go of the token that went out in this header. */
  forget(header: string): void;
}

function createTokens(options: AuthorizerOptions): Tokens {
  const now = options.now ?? (() => performance.now());
  const credentials = new Map<string, Promise<Credential | undefined>>();
  const pending = new Map<string, Promise<KeptToken>>();
  let kept: readonly KeptToken[] = [];
  const credentialFor: Tokens["credentialFor"] = (repository) => {
    const key = repository ?? "";
    const known =
      credentials.get(key) ??
      Promise.resolve(options.keychain?.credentialFor(options.registry, { repository }));
    credentials.set(key, known);
    return known;
  };
  // Shared by all that wait for it, so no single caller's signal may end it.
  const make: Tokens["get"] = async (need, service, scopes) => {
    const credential = await credentialFor(need.repository);
    const answer = await requestToken(options, { need, service, scopes, credential });
    const token = {
      value: answer.value,
      repository: need.repository,
      scopes,
      renewAt: now() + answer.lifetimeMs - Math.min(RENEW_EARLY_MS, answer.lifetimeMs / 5),
    };
    kept = [...kept.filter((other) => other.renewAt > now()), token];
    return token;
  };
  return {
    credentialFor,
    async get(need, service, scopes) {
      const found = kept.find(
        (token) =>
          token.repository === need.repository &&
          token.renewAt > now() &&
          covers(token.scopes, scopes),
      );
      if (found !== undefined) return found;
      const key = `${need.repository ?? ""} ${scopes.map(formatScope).join(" ")}`;
      const running =
        pending.get(key) ?? make(need, service, scopes).finally(() => pending.delete(key));
      pending.set(key, running);
      return waitFor(running, need.signal);
    },
    forget(header) {
      kept = kept.filter((token) => header !== `Bearer ${token.value}`);
    },
  };
}

interface TokenRequest {
  readonly need: Need;
  readonly service: Bearer;
  readonly scopes: readonly Scope[];
  readonly credential: Credential | undefined;
}

function requestToken(
  options: AuthorizerOptions,
  { need, service, scopes, credential }: TokenRequest,
): ReturnType<typeof fetchToken> {
  const target: TokenService = {
    realm: checkRealm(service.realm, options.origin(), need.action),
    ...(service.service === undefined ? {} : { service: service.service }),
  };
  const { action } = need;
  return fetchToken({ client: options.client, service: target, scopes, credential, action }).catch(
    (error: unknown) => explainRefusal(error, need, options),
  );
}

/** Whoever's credential was refused wants to know which one it was. */
async function explainRefusal(
  error: unknown,
  need: Need,
  { keychain, registry }: AuthorizerOptions,
): Promise<never> {
  if (
    !(error instanceof RegistryError) ||
    error.code !== "REGISTRY_UNAUTHORIZED" ||
    keychain === undefined
  )
    throw error;
  const origin = await keychain.describeCredential(registry, { repository: need.repository });
  if (origin.kind === "anonymous") throw error;
  const { message, method, url, status, diagnostics, cause } = error;
  throw new RegistryError("REGISTRY_UNAUTHORIZED", message, {
    method,
    url,
    status,
    diagnostics,
    cause,
    hint: `run \`slipway login ${registry}\`; ${describeOrigin(origin)}`,
  });
}

function keyOf(need: Need): string {
  return need.scopes.map((scope) => scope.resource).join(" ");
}

/** Bearer before Basic; schemes that are not known are passed over. */
function methodOf(
  challenges: readonly Challenge[],
): { readonly method: Method; readonly scopes: readonly Scope[] } | undefined {
  const bearer = challenges.find(
    ({ scheme, parameters }) => scheme === "bearer" && parameters["realm"] !== undefined,
  );
  if (bearer !== undefined) {
    const { realm = "", service, scope = "" } = bearer.parameters;
    return {
      method: { kind: "bearer", realm, ...(service === undefined ? {} : { service }) },
      scopes: parseScopes(scope),
    };
  }
  return challenges.some(({ scheme }) => scheme === "basic")
    ? { method: { kind: "basic" }, scopes: [] }
    : undefined;
}
