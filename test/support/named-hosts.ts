import { readFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { makeCertificate } from "./certificate.ts";
import { startForwardProxy, type ForwardProxy } from "./forward-proxy.ts";

/** Hosts of the wide world that are on loopback for one program: it is given `env`, and names them as it always does. */
export interface NamedHosts {
  /** What makes a program go there: a proxy, and the authority that it has to trust. */
  readonly env: Readonly<Record<string, string>>;
  readonly proxy: ForwardProxy;
}

/**
 * Leads HTTPS requests for names to plain servers on loopback, as `{ "registry.example.com": "127.0.0.1:PORT" }`; names that are not
 * among them get 502. With `proxyAccount`, `NAME:PASSWORD`, the proxy wants that. Gone with the test. Skips the test and gives `undefined` where openssl is missing.
 */
export async function startNamedHosts(
  t: TestContext,
  hosts: Readonly<Record<string, string>>,
  { proxyAccount }: { readonly proxyAccount?: string | undefined } = {},
): Promise<NamedHosts | undefined> {
  const certificate = await makeCertificate(t, Object.keys(hosts));
  if (certificate === undefined) return undefined;
  const server = createServer(
    { cert: certificate.ca, key: await readFile(certificate.keyFile) },
    (request, response) => {
      const upstream = hosts[request.headers.host?.replace(/:443$/, "") ?? ""];
      if (upstream === undefined) return void response.writeHead(502).end();
      const [host, port] = upstream.split(":");
      const onward = httpRequest(
        {
          host,
          port,
          method: request.method,
          path: request.url,
          headers: { ...request.headers, host: upstream },
        },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.on("error", () => response.destroy()).pipe(response);
        },
      );
      onward.on("error", () => response.destroy());
      request.on("error", () => onward.destroy());
      response.on("close", () => onward.destroy());
      return void request.pipe(onward);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const authorization =
    proxyAccount === undefined
      ? {}
      : { authorization: `Basic ${Buffer.from(proxyAccount).toString("base64")}` };
  const proxy = await startForwardProxy(t, {
    upstream: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...authorization,
  });
  const url = `http://${proxyAccount === undefined ? "" : `${proxyAccount}@`}${proxy.host}`;
  return {
    proxy,
    env: {
      HTTPS_PROXY: url,
      https_proxy: url,
      NO_PROXY: "",
      no_proxy: "",
      SSL_CERT_FILE: certificate.certFile,
    },
  };
}
