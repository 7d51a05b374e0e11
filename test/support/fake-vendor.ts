import { createHash } from "node:crypto";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

export const VENDOR_KEYS = {
  publicKey: "ucloudPUBLIC+/key==14700583360001",
  privateKey: "a4b5c6PRIVATEkey/+=d7e8f9",
};

/** Answers one request in place of the real answer. */
export type Fault = (response: ServerResponse) => void;

export interface FakeVendor {
  readonly endpoint: string;
  readonly port: number;
  /** Parameters of every request, in order. */
  readonly calls: Readonly<Record<string, string>>[];
  /** One for each request to come, from the first; `undefined` lets it through. */
  readonly faults: (Fault | undefined)[];
}

const PACKAGES: Readonly<Record<string, readonly object[]>> = {
  OS: [{ PkgName: "ubuntu", PkgVersion: "14.04.05", PkgId: 10 }],
  Python: [{ PkgName: "python", PkgVersion: "2.7.6", PkgId: 20 }],
  AIFrame: [
    { PkgName: "keras", PkgVersion: "1.2.0", PkgId: 32 },
    { PkgName: "tensorflow", PkgVersion: "1.1.0", PkgId: 33 },
  ],
};

/** The vendor's API on loopback: refuses requests whose signature is wrong as the real one does; gone with the test. */
export async function startFakeVendor(
  t: TestContext,
  tls?: { readonly cert: string; readonly key: string },
): Promise<FakeVendor> {
  const calls: Readonly<Record<string, string>>[] = [];
  const faults: (Fault | undefined)[] = [];
  const listener: RequestListener = (request, response) => {
    const parameters = Object.fromEntries(new URL(request.url ?? "/", "http://any").searchParams);
    calls.push(parameters);
    const fault = faults.shift();
    if (fault !== undefined) return fault(response);
    return sendJson(response, answerTo(parameters));
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http${tls === undefined ? "" : "s"}://127.0.0.1:${port}`,
    port,
    calls,
    faults,
  };
}

export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

function answerTo({ Signature, ...parameters }: Readonly<Record<string, string>>): object {
  const text = Object.keys(parameters)
    .sort()
    .map((key) => `${key}${parameters[key]}`);
  const expected = createHash("sha1")
    .update([...text, VENDOR_KEYS.privateKey].join(""))
    .digest("hex");
  if (Signature === undefined) return { RetCode: 170, Message: "Missing signature" };
  if (Signature !== expected || parameters["PublicKey"] !== VENDOR_KEYS.publicKey)
    return {
      RetCode: 171,
      Message: `Signature VerifyAC Error: ${Signature} of ${parameters["PublicKey"]}`,
    };
  const { Action = "", PkgType = "" } = parameters;
  if (Action === "GetUAIAvailableEnvPkg")
    return { RetCode: 0, Action: `${Action}Response`, PkgSet: PACKAGES[PkgType] ?? [] };
  if (Action !== "CheckUAIBaseImgExist") return { RetCode: 160, Message: "Missing action" };
  const isThere =
    parameters["OSVersion"] === "10" &&
    parameters["PythonVersion"] === "20" &&
    parameters["AIFrameVersion"] === "33" &&
    parameters["AptGetPKGID.0"] === "" &&
    parameters["PipPKGID.0"] === "";
  return {
    RetCode: 0,
    Action: `${Action}Response`,
    BimgName: isThere ? ["uhub.ucloud.cn/uaishare/tf:1.1", "uhub.ucloud.cn/uaishare/tf:1.0"] : [],
  };
}
