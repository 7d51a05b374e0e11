import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { imageFrom as imageOf, parseReference } from "../../src/images/oci/index.ts";
import { putFakeBase } from "../support/fake-base.ts";
import { type PackPlace, packPlace, writeFiles } from "../support/pack-place.ts";
import { putVendorBase } from "../support/vendor-base.ts";
import { configOf, layersOf } from "./packdocker-support.ts";

const ROOT = "ai-ucloud-client-django";
const WORDS = [
  "packdocker",
  "tf",
  "--pack_file_path",
  "mnist",
  "--main_module",
  "mnist",
  "--main_class",
  "Mnist",
  "--model_dir",
  "checkpoint_dir",
  "--uhub_registry",
  "localhost:1/me",
  "--uhub_imagename",
  "mnist:v1",
  "--no-push",
];

async function place(t: TestContext): Promise<PackPlace> {
  const cli = await packPlace(t);
  await putVendorBase(cli.store, "vendor");
  await writeFiles(cli.root, {
    "mnist/mnist.py":
      "from uai.arch.tf_model import TFAiUcloudModel\nclass Mnist(TFAiUcloudModel):\n    pass\n",
    "mnist/checkpoint_dir/model.index": "weights",
    "mnist/requirements.txt": "six==1.17.0\n",
  });
  return cli;
}

test("on a base that brings the old server, gunicorn starts it as before, and nothing of ours goes in", async (t) => {
  const cli = await place(t);
  const ran = await cli.slipway(
    ...WORDS,
    "--bimg_name",
    "store:vendor",
    "--max-batch",
    "8",
    "--emit-dockerfile",
    "uai.Dockerfile",
  );
  assert.equal(ran.exitCode, 0, ran.stderr);
  assert.match(
    ran.stderr,
    /gunicorn serves: the base brings its server in \/ai-ucloud-client-django/,
  );
  assert.match(ran.stderr, /--max-batch has no effect: gunicorn serves/);
  assert.match(ran.stderr, /requirements\.txt is not installed: the base has no Python 3/);
  const image = imageOf(
    cli.store,
    await cli.store.resolve(parseReference("localhost:1/me/mnist:v1")),
  );
  const { config } = await configOf(image);
  const { Labels, ...run } = config ?? {};
  assert.deepEqual(run, {
    User: "root",
    WorkingDir: "/root",
    Env: ["PATH=/usr/bin:/bin", "LANG=C", `UAI_SERVICE_CONFIG=/${ROOT}/ufile.json`],
    Entrypoint: ["/sbin/tini", "--"],
    Cmd: ["/bin/sh", "-c", `cd /${ROOT} && gunicorn -c gunicorn.conf.py httpserver.wsgi`],
    ExposedPorts: { "22/tcp": {}, "8080/tcp": {} },
  });
  assert.equal(Labels?.["dev.slipway.model"], undefined);
  const [base, ...ours] = await layersOf(image);
  assert.ok(base?.has(`${ROOT}/gunicorn.conf.py`));
  assert.deepEqual(
    ours.map((layer) =>
      [...layer.keys()].filter((path) => !path.endsWith(ROOT) && !path.endsWith("checkpoint_dir")),
    ),
    [
      [`${ROOT}/checkpoint_dir/model.index`],
      [`${ROOT}/mnist.py`, `${ROOT}/requirements.txt`],
      [`${ROOT}/ufile.json`],
    ],
  );
  const lines = (await readFile(join(cli.root, "uai.Dockerfile"), "utf8")).split("\n");
  assert.deepEqual(
    lines.filter((line) => /^(FROM|ENV|EXPOSE|USER|WORKDIR|ENTRYPOINT|CMD)/.test(line)),
    [
      "FROM store:vendor",
      `ENV UAI_SERVICE_CONFIG="/${ROOT}/ufile.json"`,
      "EXPOSE 22/tcp",
      "EXPOSE 8080/tcp",
      `CMD ["/bin/sh","-c","cd /${ROOT} && gunicorn -c gunicorn.conf.py httpserver.wsgi"]`,
    ],
  );
  assert.ok(!lines.join("\n").includes("/opt/slipway/"));
});

test("--json tells which server was chosen", async (t) => {
  const cli = await place(t);
  await putFakeBase(cli.store, "pybase");
  for (const [base, server] of [
    ["store:vendor", "gunicorn"],
    ["store:pybase", "slipway"],
  ] as const) {
    await writeFiles(cli.root, { "mnist/requirements.txt": "" });
    const ran = await cli.slipway(...WORDS, "--bimg_name", base, "--json");
    assert.equal(ran.result["server"], server, ran.stdout);
  }
});

test("--server slipway is held to what our server needs, and --server gunicorn to what gunicorn starts", async (t) => {
  const cli = await place(t);
  await putVendorBase(cli.store, "half", [`${ROOT}/gunicorn.conf.py`]);
  const ours = await cli.slipway(...WORDS, "--bimg_name", "store:vendor", "--server", "slipway");
  assert.equal(ours.exitCode, 3);
  assert.match(ours.stderr, /BASE_UNSUITABLE: pack on "store:vendor": it has no glibc/);
  const theirs = await cli.slipway(...WORDS, "--bimg_name", "store:half", "--server", "gunicorn");
  assert.equal(theirs.exitCode, 3);
  assert.match(
    theirs.stderr,
    /BASE_UNSUITABLE: serve with gunicorn on "store:half": it has no gunicorn\.conf\.py and httpserver\/wsgi\.py/,
  );
  const neither = await cli.slipway(...WORDS, "--bimg_name", "store:vendor", "--server", "apache");
  assert.equal(neither.exitCode, 2);
});
