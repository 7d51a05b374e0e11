import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { setValue } from "./index.ts";

const POD = { spec: { containers: [{ name: "a", env: [{ name: "A", value: "1" }] }] } };

const CASES: readonly (readonly [string, unknown])[] = [
  ["spec.hostNetwork=true", { ...POD, spec: { ...POD.spec, hostNetwork: true } }],
  [
    "spec.containers[0].name=b",
    { spec: { containers: [{ ...POD.spec.containers[0], name: "b" }] } },
  ],
  [
    "spec.containers[0].env[+]={name: B, value: '2'}",
    {
      spec: {
        containers: [
          {
            name: "a",
            env: [
              { name: "A", value: "1" },
              { name: "B", value: "2" },
            ],
          },
        ],
      },
    },
  ],
  ["spec.containers[0].env[0]=", { spec: { containers: [{ name: "a", env: [] }] } }],
  ["spec.containers=", { spec: {} }],
  ["metadata.labels.a\\.b/c=d", { ...POD, metadata: { labels: { "a.b/c": "d" } } }],
  ["spec.args[0]=x=y", { spec: { ...POD.spec, args: ["x=y"] } }],
];

for (const [assignment, expected] of CASES)
  test(`--set ${assignment}`, async () => {
    const before = structuredClone(POD);
    assert.deepEqual(await setValue(POD, assignment), expected);
    assert.deepEqual(POD, before, "the object that was given stays as it was");
  });

for (const assignment of [
  "=x",
  "spec",
  "spec..a=1",
  "spec.containers[9].name=x",
  "spec.containers.a=1",
  "spec[0]=1",
  "spec.containers[0].name.x=1",
  "a=[",
  "a]=1",
])
  test(`--set ${assignment} is refused`, () =>
    assert.rejects(setValue(POD, assignment), { code: "USAGE" }));

test("no text ends in anything but a result or a refusal, and no prototype is touched", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ maxLength: 60 }), async (text) => {
      try {
        await setValue(POD, text);
      } catch (error) {
        assert.equal((error as { readonly code?: string }).code, "USAGE");
      }
    }),
  );
  await setValue(POD, "__proto__.polluted=1");
  assert.equal(({} as { readonly polluted?: number }).polluted, undefined);
});
