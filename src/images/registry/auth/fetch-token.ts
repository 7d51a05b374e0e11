import {
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  isInternalLiteral,
  isLoopbackHost,
} from "../../../ground/http/index.ts";
import { redactUrl, RegistryError } from "../../../ground/errors/index.ts";
import type { CallOptions } from "../../../ground/bytes/index.ts";
import type { Credential } from "../keychain/contracts.ts";
import { responseError } from "../transport/failure.ts";
import { formatScope, type Scope } from "./scope.ts";

/** A bearer token and how long it lives, in ms from its arrival. */
export interface Token {
  readonly value: string;
  readonly lifetimeMs: number;
}

/** Where a registry says tokens are given out. */
export interface TokenService {
  readonly realm: URL;
  readonly service?: string;
}

export interface TokenRequest extends CallOptions {
  readonly client: HttpClient;
  readonly service: TokenService;
  readonly scopes: readonly Scope[];
  readonly credential?: Credential | undefined;
  /** For errors. */
  readonly action: string;
}

type SecretPair = Exclude<Credential, { readonly kind: "registry-token" }>;

const MAX_TOKEN_BYTES = 65_536;
const DEFAULT_LIFETIME_MS = 60_000;
const CLIENT_ID = "slipway";
// Node refuses other characters in a header, with an error that is not ours.
const TOKEN = /^[\x21-\x7e]+$/;

/**
 * Checks the realm of a challenge before anything is sent there.
 * @param registry - the registry's own origin.
 * @throws RegistryError `INSECURE_REFUSED` for plain HTTP unless the registry itself is plain, for another scheme, and for an
 * internal IP literal of another host.
 */
export function checkRealm(realm: string, registry: URL, action: string): URL {
  const refuse = (why: string): never => {
    throw new RegistryError(
      "INSECURE_REFUSED",
      `${action}: the token server "${redactUrl(realm).slice(0, 200)}" that "${registry.host}" names is refused: ${why}`,
      { method: "GET", url: redactUrl(realm) },
    );
  };
  if (!URL.canParse(realm)) return refuse("it is not a URL");
  const url = new URL(realm);
  if (url.protocol !== "https:" && (url.protocol !== "http:" || registry.protocol !== "http:"))
    return refuse("it is not HTTPS");
  if (url.username !== "" || url.password !== "") return refuse("it holds a user name");
  if (
    url.hostname !== registry.hostname &&
    isInternalLiteral(url.host) &&
    !isLoopbackHost(registry.host)
  )
    return refuse("it is an internal address of another host");
  return url;
}

/**
 * Gets a token. An identity token goes by POST; where the server has no POST, by GET with the name `<token>`. Fewer rights than
 * asked are no error here: the registry says so at the next call.
 * @throws RegistryError `REGISTRY_UNAUTHORIZED` when the credential is refused.
 * @see distribution, docs/content/spec/auth/token.md and oauth.md
 */
export async function fetchToken(request: TokenRequest): Promise<Token> {
  const { credential } = request;
  if (credential?.kind === "registry-token")
    return { value: credential.token, lifetimeMs: Number.POSITIVE_INFINITY };
  if (credential?.kind === "identity-token") {
    const response = await request.client.send(postRequest(request, credential.token));
    if (response.status !== 404 && response.status !== 405) return readToken(response, request);
    await response.discard();
  }
  return readToken(await request.client.send(getRequest(request, credential)), request);
}

function postRequest(request: TokenRequest, identityToken: string): HttpRequest {
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    service: request.service.service ?? "",
    client_id: CLIENT_ID,
    scope: request.scopes.map(formatScope).join(" "),
    refresh_token: identityToken,
  });
  return {
    action: request.action,
    method: "POST",
    url: request.service.realm,
    headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
    body: { kind: "bytes", bytes: Buffer.from(form.toString()) },
    signal: request.signal,
  };
}

function getRequest(request: TokenRequest, credential: SecretPair | undefined): HttpRequest {
  const { service, scopes } = request;
  const url = new URL(service.realm);
  if (service.service !== undefined) url.searchParams.set("service", service.service);
  for (const scope of scopes) url.searchParams.append("scope", formatScope(scope));
  url.searchParams.set("client_id", CLIENT_ID);
  const authorization = credential === undefined ? {} : { authorization: basicHeader(credential) };
  return {
    action: request.action,
    method: "GET",
    url,
    headers: { accept: "application/json", ...authorization },
    signal: request.signal,
  };
}

/** @see RFC 7617 */
export function basicHeader(credential: SecretPair): string {
  const pair =
    credential.kind === "basic"
      ? `${credential.username}:${credential.password}`
      : `<token>:${credential.token}`;
  return `Basic ${Buffer.from(pair, "utf8").toString("base64")}`;
}

async function readToken(response: HttpResponse, request: TokenRequest): Promise<Token> {
  if (response.status !== 200) throw await refusal(response, request);
  const bytes = await response.readBytes(MAX_TOKEN_BYTES + 1);
  const answer = bytes.byteLength > MAX_TOKEN_BYTES ? undefined : parseAnswer(bytes);
  if (answer !== undefined) return answer;
  throw new RegistryError(
    "REGISTRY_PROTOCOL",
    `${request.action}: the token server "${request.service.realm.host}" gave an answer that holds no token`,
    { method: response.method, url: redactUrl(response.url.href), status: response.status },
  );
}

async function refusal(response: HttpResponse, request: TokenRequest): Promise<RegistryError> {
  const error = await responseError(response, { action: request.action });
  // A token server that knows no such user answers 400, 401 or 403, by its maker's taste.
  if (request.credential === undefined || ![400, 401, 403].includes(response.status)) return error;
  return new RegistryError(
    "REGISTRY_UNAUTHORIZED",
    `${request.action}: the token server "${request.service.realm.host}" refused the credential`,
    {
      method: error.method,
      url: error.url,
      status: error.status,
      diagnostics: error.diagnostics,
      cause: error,
      hint: "log in again",
    },
  );
}

function parseAnswer(bytes: Uint8Array): Token | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const fields = value as Readonly<Record<string, unknown>>; // an object; every field is checked below
  const token = [fields["token"], fields["access_token"]].find(
    (entry) => typeof entry === "string" && TOKEN.test(entry),
  );
  if (typeof token !== "string") return undefined;
  const seconds = fields["expires_in"];
  return {
    value: token,
    lifetimeMs: typeof seconds === "number" && seconds > 0 ? seconds * 1000 : DEFAULT_LIFETIME_MS,
  };
}
