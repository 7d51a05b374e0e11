import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface StubRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A node that runs elsewhere: it says what it saw. */
export interface Stub extends AsyncDisposable {
  readonly port: number;
  readonly seen: StubRequest[];
}

interface StubAnswer {
  readonly status?: number;
  readonly type?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers by what the header `X-Stub` asks for; an echo otherwise. */
const ANSWERS: Readonly<Record<string, StubAnswer>> = {
  text503: { status: 503, type: "text/plain", body: "busy <now>" },
  created: { status: 201, body: '{"strData":"made"}' },
  empty: { body: "" },
  nojson: { type: "text/plain", body: "plain words" },
  header: { headers: { "X-From-Node": "yes", "Seldon-Puid": "node-own" } },
  escape: { body: '{"strData":"<b>&amp;</b>\u2028end","x":  1.50, "big": 12345678901234567890}' },
  route1: { body: "[1]" },
};

/** Starts the stub on a free port. */
export async function startStub(): Promise<Stub> {
  const seen: StubRequest[] = [];
  const hanging: ServerResponse[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const body = Buffer.concat(chunks).toString();
      seen.push({ method, path: url, headers, body });
      const wanted = String(headers["x-stub"] ?? "");
      if (wanted === "hang") hanging.push(response);
      else reply(response, ANSWERS[wanted] ?? {}, body === "" ? '{"status":"ok"}' : body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function reply(response: ServerResponse, answer: StubAnswer, echo: string): void {
  const { status = 200, type = "application/json", body = echo, headers } = answer;
  response.writeHead(status, { "content-type": type, ...headers });
  response.end(body);
}
