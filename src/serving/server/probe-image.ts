import { readFile } from "node:fs/promises";
import type { ModelDescription } from "../../models/description/index.ts";
import { healthcheck } from "./healthcheck.ts";
import { readDescription } from "./image-description.ts";
import type { EntryOptions } from "./run-entry.ts";
import { MICROSERVICE, microserviceArguments } from "./seldon/command-words.ts";
import { parseSeldonLaunch, type Environment } from "./seldon/launch.ts";
import { defaultPortsOf } from "../protocols/index.ts";
import { hasTls } from "./tls.ts";

/** Exit code for the image's health check: 0 when the server on this machine is ready. */
export async function runHealthcheck({ env, description, print }: EntryOptions): Promise<number> {
  try {
    const why = await healthcheck(await probeOf(env, description));
    print(why === undefined ? "ready\n" : `not ready: ${why}\n`);
    return why === undefined ? 0 : 1;
  } catch (error) {
    print(`not ready: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

/**
 * Where to ask, as the server beside it found it: from its arguments, the environment, or the description. With TLS the metrics port is
 * asked, since that of REST may want a certificate.
 */
async function probeOf(
  env: Environment,
  description: ModelDescription | undefined,
): Promise<{ readonly port: number; readonly hasTls: boolean }> {
  const launch = parseSeldonLaunch(await mainArguments(env), env);
  const { http, metrics } = {
    ...(description?.ports ??
      (await readDescription(env).then(
        ({ ports }) => ports,
        () => defaultPortsOf("seldon"),
      ))),
    ...launch.ports,
  };
  if (!hasTls(env)) return { port: http, hasTls: false };
  return metrics === undefined ? { port: http, hasTls: true } : { port: metrics, hasTls: false };
}

/** Arguments of `seldon-core-microservice` when that is what the container runs; none otherwise. */
async function mainArguments(env: Environment): Promise<readonly string[]> {
  const words = await readFile("/proc/1/cmdline", "utf8").then(
    (text) => text.split("\0").slice(0, -1),
    (): string[] => [],
  );
  const names = words.map((word) => (word.endsWith(`/${MICROSERVICE}`) ? MICROSERVICE : word)); // the launcher's path
  return (
    names
      .map((_, at) => microserviceArguments(names.slice(at), env))
      .find((found) => found !== undefined) ?? []
  );
}
