import { createServer } from "node:net";
import { ToolError } from "../../ground/errors/index.ts";

/**
 * Opens and closes each port before a model is loaded, so that a taken port is reported at once and
 * not after minutes.
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
