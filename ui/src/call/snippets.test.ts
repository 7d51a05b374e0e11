import assert from "node:assert/strict";
import { test } from "node:test";
import type { Call } from "../../../src/serving/calls/index.ts";
import { LANGUAGES, snippetOf } from "./snippets.ts";

test("code takes a long body from a file, and leaves gRPC out where there is no port", () => {
  const place = {
    origin: "http://h:1",
    hostname: "h",
    isSecure: false,
    grpcPort: 2,
    wantsKey: false,
  };
  const short: Call = {
    ...{ protocol: "v2", path: "/v2/models/m/infer", contentType: "application/json", body: "{}" },
    grpc: { method: "inference.GRPCInferenceService/ModelInfer", message: "{}" },
  };
  for (const language of LANGUAGES) assert.ok(snippetOf(language, short, place)?.includes("h:"));
  assert.equal(
    snippetOf("grpcurl", short, { ...place, grpcPort: undefined, wantsKey: false }),
    undefined,
  );
  const long = { ...short, body: " ".repeat(10_000) };
  assert.match(snippetOf("curl", long, place) ?? "", /@request\.json/);
  assert.match(snippetOf("python", long, place) ?? "", /open\("request\.json", "rb"\)/);
  const quoted = { ...short, body: `{"a":"it's"}` };
  assert.match(snippetOf("curl", quoted, place) ?? "", /it'\\''s/);
});
