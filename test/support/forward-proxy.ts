import { createServer, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { connect, type AddressInfo } from "node:net";
import type { TestContext } from "node:test";

/** One thing that a proxy was asked for. */
export interface ProxiedCall {
  readonly method: string;
  /** `host:port` of a tunnel, else the whole URL. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
}

export interface ForwardProxy {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly calls: ProxiedCall[];
}

export interface ForwardProxyOptions {
  /** Where everything goes, whatever name was asked for: `127.0.0.1:PORT`. */
  readonly upstream: string;
  /** Wants this `Proxy-Authorization`. */
  readonly authorization?: string;
}

/** A forward proxy on loopback that leads every name to one server; gone with the test. */
export async function startForwardProxy(
  t: TestContext,
  { upstream, authorization }: ForwardProxyOptions,
): Promise<ForwardProxy> {
  const calls: ProxiedCall[] = [];
  const [upstreamHost = "", upstreamPort = ""] = upstream.split(":");
  const isRefused = (headers: IncomingHttpHeaders): boolean =>
    authorization !== undefined && headers["proxy-authorization"] !== authorization;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://nowhere.test");
    calls.push({ method: request.method ?? "", target: url.href, headers: request.headers });
    if (isRefused(request.headers)) return void response.writeHead(407).end();
    const headers = { ...request.headers };
    delete headers["proxy-authorization"];
    const onward = httpRequest(
      {
        host: upstreamHost,
        port: upstreamPort,
        method: request.method,
        path: `${url.pathname}${url.search}`,
        headers,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on("error", () => response.destroy());
    return void request.pipe(onward);
  });
  server.on("connect", (request, socket, head) => {
    calls.push({ method: "CONNECT", target: request.url ?? "", headers: request.headers });
    if (isRefused(request.headers))
      return void socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    const onward = connect(Number(upstreamPort), upstreamHost, () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      onward.write(head);
      onward.pipe(socket);
      socket.pipe(onward);
    });
    for (const end of [onward, socket])
      end.on("error", () => [onward, socket].forEach((other) => other.destroy()));
    return undefined;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, calls };
}
