// Fetches the model of a URL into a folder, and ends. For bench/fetch-archive.ts.
import { createSession } from "../../src/app/index.ts";
import { fetchSource } from "../../src/app/fetch/fetch-source.ts";
import { parseModelUri } from "../../src/models/fetch/index.ts";

const [url = "", folder = ""] = process.argv.slice(2);
const session = createSession({ environment: process.env });
await fetchSource({ source: parseModelUri(url, {}), folder }, session);
