import { createServer } from "node:net";
import { ToolError } from "../../ground/errors/index.ts";

/**
 * Takes each port for a moment, so that one that is taken is named before a model is loaded, and not minutes later.
 * @throws ToolError `PORT_TAKEN`
 */
export async function checkPorts(
  host: string,
  ports: readonly (number | undefined)[],
): Promise<void> {
  for (const port of ports) if (port !== undefined && port !== 0) await checkPort(host, port);
}

async function checkPort(host: string, port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "EADDRINUSE" ? "another program listens there" : error.message;
      reject(
        new ToolError("PORT_TAKEN", `listen on ${host}:${port}: ${why}`, {
          cause: error,
          hint: "choose another port, or stop the other program",
        }),
      );
    });
    server.listen({ host, port }, () => server.close(() => resolve()));
  });
}
