import { once } from "node:events";
import { createServer } from "node:net";

/** Ports of the loopback that nobody listens on now, each another. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  return Promise.all(
    servers.map(async (server) => {
      const address = server.address();
      server.close();
      await once(server, "close");
      if (typeof address !== "object" || address === null) throw new Error("no port");
      return address.port;
    }),
  );
}

/** A port of the loopback that nobody listens on now. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}
