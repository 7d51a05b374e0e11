import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { freePorts } from "./free-port.ts";
import { untilEnd, type PackPlace } from "./pack-place.ts";

/** Runs an image of the place's store without an engine, until the place goes away. @returns where it answers, once it does */
export async function runUnpacked(place: PackPlace, image: string): Promise<string> {
  const [http, grpc, metrics] = await freePorts(3);
  const ports = [`${http}:9000`, `${grpc}:5000`, `${metrics}:6000`].flatMap((port) => ["-p", port]);
  const child = place.start("run", image, "--unpacked", ...ports, "--json");
  const ended = untilEnd(child);
  assert.ok(child.stdout !== null);
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as {
      readonly event: string;
      readonly url?: string;
      readonly message?: string;
    };
    assert.notEqual(event.event, "error", event.message);
    if (event.event === "result" && event.url !== undefined) return event.url;
  }
  assert.fail(`it ended before it was ready\n${(await ended).stderr}`);
}
