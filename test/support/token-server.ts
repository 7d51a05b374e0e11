import { createPublicKey, randomBytes, sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { run } from "../../src/ground/process/index.ts";

/** One call of the token endpoint. */
export interface TokenRequest {
  readonly method: string;
  readonly scopes: readonly string[];
  readonly username?: string;
  readonly grantType?: string;
}

/** A token server as distribution's documents describe it, on loopback. Signs with a key of its own. */
export interface TokenServer {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  /** PEM file for `rootcertbundle`. */
  readonly certFile: string;
  readonly requests: readonly TokenRequest[];
  /** An identity token that the server accepts; a new one each time. */
  issueIdentityToken(): string;
  close(): Promise<void>;
}

export interface TokenServerOptions {
  /** Where key and certificate are written. */
  readonly folder: string;
  readonly username: string;
  readonly password: string;
  /** Default 300. */
  readonly lifetimeSeconds?: number;
  /** Repositories that may be pulled without a credential. Default none. */
  readonly publicRepositories?: readonly string[];
}

/** Starts a token server; its certificate is made by openssl. */
export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const keyFile = join(options.folder, "token.key");
  const certFile = join(options.folder, "token.crt");
  await run([
    "openssl",
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "2",
    "-subj",
    "/CN=tokens",
    "-keyout",
    keyFile,
    "-out",
    certFile,
  ]);
  const signer = {
    key: await readFile(keyFile, "utf8"),
    chain: [pemBody(await readFile(certFile, "utf8"))],
  };
  createPublicKey(signer.key);
  const requests: TokenRequest[] = [];
  const identityTokens = new Set<string>();
  const state = { options, requests, identityTokens, signer };
  const server = createServer((request, response) => {
    answer(state, request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    realm: `http://127.0.0.1:${port}/token`,
    service: "test-registry",
    issuer: "test-issuer",
    certFile,
    requests,
    issueIdentityToken: () => issueIdentity(identityTokens),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface State {
  readonly options: TokenServerOptions;
  readonly requests: TokenRequest[];
  readonly identityTokens: Set<string>;
  readonly signer: { readonly key: string; readonly chain: readonly string[] };
}

interface Ask {
  readonly service: string;
  readonly scopes: readonly string[];
  readonly isKnown: boolean;
  readonly isRefused: boolean;
  readonly wantsIdentity: boolean;
}

async function answer(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const ask = request.method === "POST" ? await readPost(state, request) : readGet(state, request);
  if (ask.isRefused) {
    response
      .writeHead(401, { "Content-Type": "application/json" })
      .end(JSON.stringify({ errors: [{ code: "UNAUTHORIZED", message: "wrong credential" }] }));
    return;
  }
  const lifetime = state.options.lifetimeSeconds ?? 300;
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: "test-issuer",
    sub: ask.isKnown ? state.options.username : "",
    aud: ask.service,
    iat: now,
    nbf: now - 10,
    exp: now + lifetime,
    jti: randomBytes(8).toString("hex"),
    access: ask.scopes.flatMap((scope) => grant(state, scope, ask.isKnown)),
  };
  const token = jwt(claims, state.signer);
  const extra = ask.wantsIdentity ? { refresh_token: issueIdentity(state.identityTokens) } : {};
  response.writeHead(200, { "Content-Type": "application/json" }).end(
    JSON.stringify({
      token,
      access_token: token,
      expires_in: lifetime,
      issued_at: new Date(now * 1000).toISOString(),
      ...extra,
    }),
  );
}

function readGet(state: State, request: IncomingMessage): Ask {
  const url = new URL(request.url ?? "/", "http://token.test");
  const [username, password] = basicOf(request.headers.authorization);
  const scopes = url.searchParams.getAll("scope");
  state.requests.push({ method: "GET", scopes, ...(username === undefined ? {} : { username }) });
  const isKnown = username === state.options.username && password === state.options.password;
  return {
    service: url.searchParams.get("service") ?? "",
    scopes,
    isKnown,
    isRefused: username !== undefined && !isKnown,
    wantsIdentity: isKnown && url.searchParams.get("offline_token") === "true",
  };
}

async function readPost(state: State, request: IncomingMessage): Promise<Ask> {
  const form = new URLSearchParams(
    Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString("utf8"),
  );
  const scopes = (form.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
  const grantType = form.get("grant_type") ?? "";
  state.requests.push({ method: "POST", scopes, grantType });
  const isKnown =
    grantType === "refresh_token"
      ? state.identityTokens.has(form.get("refresh_token") ?? "")
      : form.get("username") === state.options.username &&
        form.get("password") === state.options.password;
  return {
    service: form.get("service") ?? "",
    scopes,
    isKnown,
    isRefused: !isKnown,
    wantsIdentity: form.get("access_type") === "offline",
  };
}

function grant(
  state: State,
  scope: string,
  isKnown: boolean,
): { type: string; name: string; actions: string[] }[] {
  const type = scope.slice(0, scope.indexOf(":"));
  const rest = scope.slice(scope.indexOf(":") + 1);
  const name = rest.slice(0, rest.lastIndexOf(":"));
  const actions = rest.slice(rest.lastIndexOf(":") + 1).split(",");
  if (isKnown) return [{ type, name, actions }];
  return (state.options.publicRepositories ?? []).includes(name)
    ? [{ type, name, actions: actions.filter((action) => action === "pull") }]
    : [];
}

function issueIdentity(known: Set<string>): string {
  const token = randomBytes(24).toString("base64url");
  known.add(token);
  return token;
}

function basicOf(header: string | undefined): readonly [string | undefined, string | undefined] {
  if (header?.startsWith("Basic ") !== true) return [undefined, undefined];
  const text = Buffer.from(header.slice(6), "base64").toString("utf8");
  return [text.slice(0, text.indexOf(":")), text.slice(text.indexOf(":") + 1)];
}

function jwt(claims: unknown, signer: State["signer"]): string {
  const encode = (value: unknown): string =>
    Buffer.from(JSON.stringify(value)).toString("base64url");
  const body = `${encode({ alg: "ES256", typ: "JWT", x5c: signer.chain })}.${encode(claims)}`;
  return `${body}.${sign("sha256", Buffer.from(body), { key: signer.key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

function pemBody(pem: string): string {
  return pem.replaceAll(/-----[A-Z ]+-----|\s/g, "");
}
