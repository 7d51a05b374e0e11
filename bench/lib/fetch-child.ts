// Fetches the model of a URL into a folder, prints what that took as JSON, and ends. For bench/fetch-archive.ts.
import { createSession } from "../../src/app/index.ts";
import { fetchSource } from "../../src/app/fetch/fetch-source.ts";
import { parseModelUri } from "../../src/models/fetch/index.ts";

const [url = "", folder = ""] = process.argv.slice(2);
const session = createSession({ environment: process.env });
const cpu = process.cpuUsage();
const startedAt = performance.now();
await fetchSource({ source: parseModelUri(url, {}), folder }, session);
const { user, system } = process.cpuUsage(cpu);
const fetchMs = performance.now() - startedAt;
process.stdout.write(JSON.stringify({ fetchMs, fetchCpuMs: (user + system) / 1000 }));
