import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { requirePeer } from "./peers.ts";

const ACCESS_KEY = "AKIDEXAMPLE";
const SECRET_KEY = "a/secret+key of a test";

/** A real server that speaks S3. */
export interface S3Server {
  /** Variables by which a client finds it and is let in. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Starts versitygw with one bucket that holds the files; gone with the test. Nothing when it is not installed. It listens on a socket
 * in a folder, since it does not tell which port it took, and is reached through a port of ours.
 */
export async function startS3Server(
  t: TestContext,
  bucket: string,
  objects: Readonly<Record<string, string | Uint8Array>>,
): Promise<S3Server | undefined> {
  const program = await requirePeer(t, "versitygw");
  if (program === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), "slipway-s3-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [data, sidecar, socket] = ["data", "meta", "s3.sock"].map((name) => join(folder, name));
  if (data === undefined || sidecar === undefined || socket === undefined) return undefined;
  await mkdir(sidecar);
  await mkdir(join(data, bucket), { recursive: true });
  for (const [key, content] of Object.entries(objects)) {
    await mkdir(dirname(join(data, bucket, key)), { recursive: true });
    await writeFile(join(data, bucket, key), content);
  }
  const keys = ["--access", ACCESS_KEY, "--secret", SECRET_KEY];
  const child = spawn(program, [...keys, "--port", socket, "posix", "--sidecar", sidecar, data]);
  t.after(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  await new Promise<void>((resolve) => {
    child.stdout.on("data", (text) => {
      if (String(text).includes("listening on")) resolve(); // and goes on being read
    });
    child.stderr.resume();
  });
  const port = await forwardTo(t, socket);
  return {
    environment: {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: ACCESS_KEY,
      AWS_SECRET_ACCESS_KEY: SECRET_KEY,
      AWS_REGION: "us-east-1",
    },
  };
}

async function forwardTo(t: TestContext, socket: string): Promise<number> {
  const server = createServer((client) => {
    const target = connect(socket);
    client.pipe(target).pipe(client);
    client.on("error", () => target.destroy());
    target.on("error", () => client.destroy());
    client.on("close", () => target.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}
