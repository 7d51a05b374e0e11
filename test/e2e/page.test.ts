import axe from "axe-core";
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { before, test, type TestContext } from "node:test";
import { promisify } from "node:util";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import type { ModelDescription } from "../../src/models/description/index.ts";
import { createLogger, serveModel, type RunningServer } from "../../src/serving/server/index.ts";
import { parseKeys } from "../../src/serving/server/keys/parse-keys.ts";
import { startBrowser } from "../support/page/browser.ts";
import { greyPng } from "../support/page/png.ts";
import { pythonEnv } from "../support/python-env.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const FIXTURES = join(ROOT, "test/fixtures");
const quiet = createLogger({ level: "fatal", write: () => undefined });

before(async () => {
  await run([process.execPath, "scripts/build.js"], { cwd: ROOT, timeoutMs: 300_000 });
});

const COMMON: Omit<ModelDescription, "name" | "kind"> = {
  ...{ schemaVersion: 1, contract: "kserve", service: "MODEL" },
  ports: { http: 0, grpc: 0 },
  server: {},
};
const DIGIT: ModelDescription = {
  ...{ ...COMMON, name: "digit", kind: "onnx" },
  modelPath: join(FIXTURES, "onnx/digit28.onnx"),
  codePath: join(FIXTURES, "onnx"),
};

/** The same, of a project that takes black on white. */
const PREPARED: ModelDescription = {
  ...{ ...DIGIT, name: "prepared" },
  preprocess: { scale: -1 / 255, mean: [-1] },
};

/** A handwritten digit, models of named tensors as Python classes, and one that always fails. */
async function serveMany(t: TestContext): Promise<RunningServer | undefined> {
  const environment = await pythonEnv(t, { packages: ["numpy"] });
  if (environment === undefined) return undefined;
  const described: readonly ModelDescription[] = [
    "add_sub",
    "fail",
    "identity_bytes",
    "identity_int64",
  ].map((name) => ({
    ...COMMON,
    ...{ name, kind: "class" as const, codePath: join(FIXTURES, "v2", name) },
    code: { file: "model.py", name: "Model", language: "python" as const },
    python: { executable: environment.python, path: [] },
  }));
  const others = {
    models: [...described, PREPARED].map((one) => ({
      name: one.name,
      version: "1",
      describe: async () => one,
    })),
  };
  const server = await serveModel(DIGIT, { host: "127.0.0.1", others, log: quiet });
  t.after(() => server[Symbol.asyncDispose]());
  return server;
}

/** A page that fails the test when it breaks its own rules: an error of a script, a refused file, a request to another host. */
async function open(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext({ locale: "en-US", ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => assert.fail(`the page threw: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource.*500/.test(message.text()))
      assert.fail(`the page complained: ${message.text()}`);
  });
  page.on("request", (request) => {
    if (!/^(?:blob|data):/.test(request.url()))
      assert.equal(new URL(request.url()).origin, new URL(url).origin);
  });
  await page.goto(url);
  await page.waitForSelector("h1");
  return page;
}

/** Presses Send and waits for the answer. */
async function send(page: Page): Promise<void> {
  const done = page.waitForResponse((response) => response.request().method() === "POST");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await done;
  await page.waitForSelector(".figures");
}

async function rawAnswer(page: Page): Promise<string> {
  await page.locator("section", { hasText: "Answer" }).getByRole("tab", { name: "Raw" }).click();
  return page.locator(".raw pre").innerText();
}

/** Strokes of a seven, as shares of the canvas. */
const SEVEN = [
  [0.3, 0.25],
  [0.7, 0.25],
  [0.45, 0.85],
] as const;

async function drawSeven(page: Page): Promise<void> {
  const box = await page.locator("canvas").boundingBox();
  assert.ok(box !== null);
  const points = SEVEN.map(([x, y]) => [box.x + box.width * x, box.y + box.height * y] as const);
  await page.mouse.move(...points[0]!);
  await page.mouse.down();
  for (const point of points.slice(1)) await page.mouse.move(...point, { steps: 8 });
  await page.mouse.up();
}

test("every form of every model gets an answer, and the code beside it gets the same", async (t) => {
  const browser = await startBrowser(t);
  const server = browser && (await serveMany(t));
  if (browser === undefined || server === undefined) return;
  const url = `http://127.0.0.1:${server.ports.http}/`;
  const page = await open(browser, url);

  await t.test("a drawn digit is told by its class", async () => {
    await drawSeven(page);
    await send(page);
    assert.equal(await page.locator(".bars .best th").innerText(), "7");
    const head = await page.locator(".model-head").innerText();
    assert.match(head, /onnx[^]*15\.7 KiB/);
    const bytes = await readFile(join(FIXTURES, "onnx/digit28.onnx"));
    const digest = createHash("sha256").update(bytes).digest("hex");
    assert.ok(head.includes(`sha256:${digest.slice(0, 12)}…`), head);
  });

  await t.test("so is one that is drawn with the keyboard alone", async () => {
    await page.getByRole("button", { name: "Clear" }).click();
    await page.locator("canvas").focus();
    const press = async (key: string, times: number): Promise<void> => {
      for (let count = 0; count < times; count += 1) await page.keyboard.press(key);
    };
    await press("ArrowUp", 9);
    await press(" ", 1);
    await press("ArrowDown", 17);
    await press(" ", 1);
    const done = page.waitForResponse((response) => response.request().method() === "POST");
    await page.getByRole("button", { name: "Send", exact: true }).focus();
    await page.keyboard.press("Control+Enter");
    await done;
    await page.locator(".bars .best th", { hasText: /^1$/ }).waitFor();
  });

  await t.test("a picture is made into the tensor by the browser", async () => {
    await page.getByRole("tab", { name: "Picture" }).click();
    const bar = greyPng(56, (x, y) => (x > 25 && x < 31 && y > 8 && y < 48 ? 255 : 0));
    await page
      .locator('input[type="file"]')
      .setInputFiles({ name: "one.png", mimeType: "image/png", buffer: bar });
    await page.locator(".drop img").waitFor();
    await send(page);
    assert.equal(await page.locator(".bars .best th").innerText(), "1");
    const text = { name: "no.png", mimeType: "image/png", buffer: Buffer.from("no picture") };
    await page.locator('input[type="file"]').setInputFiles(text);
    await page.locator(".problem").waitFor();
  });

  await t.test("a picture is uploaded where the project says how it becomes a tensor", async () => {
    await page.goto(`${url}#/prepared/1`);
    await page.getByRole("tab", { name: "Picture" }).click();
    const bar = greyPng(56, (x, y) => (x > 25 && x < 31 && y > 8 && y < 48 ? 0 : 255));
    await page
      .locator('input[type="file"]')
      .setInputFiles({ name: "one.png", mimeType: "image/png", buffer: bar });
    await page.locator(".drop img").waitFor();
    const sent = page.waitForRequest((request) => request.method() === "POST");
    await send(page);
    const request = await sent;
    assert.equal(new URL(request.url()).pathname, "/predict/prepared/1");
    assert.equal(request.headers()["content-type"], "image/png");
    assert.equal(await page.locator(".bars .best th").innerText(), "1");
  });

  await t.test("numbers are typed, pasted as a table, or written as JSON", async () => {
    await page.goto(`${url}#/add_sub/1`);
    await page.getByLabel("INPUT0, row 1, column 2", { exact: true }).fill("40");
    await page.getByLabel("INPUT1, row 1, column 2", { exact: true }).fill("2");
    await send(page);
    assert.match(await rawAnswer(page), /"data": \[0, 42, 0/);
    const second = page.locator("fieldset", { hasText: "INPUT1" });
    await second.getByRole("tab", { name: "CSV" }).click();
    await second.locator("textarea").fill(Array.from({ length: 16 }, (_, at) => at).join("\t"));
    await send(page);
    assert.match(await rawAnswer(page), /"data": \[0, 41, 2, 3/);
    await second.locator("textarea").fill("1,2");
    assert.match(await page.locator(".problem").innerText(), /INPUT1: .*\[1, 2\]/);
    assert.ok(await page.getByRole("button", { name: "Send", exact: true }).isDisabled());
    await second.getByRole("tab", { name: "JSON" }).click();
    await send(page);
    assert.match(await rawAnswer(page), /"data": \[0, 40, 0/);
  });

  await t.test("text and 64-bit integers come back as they were typed", async () => {
    await page.goto(`${url}#/identity_bytes/1`);
    const texts = page.locator("textarea").first();
    await texts.fill("你好, it's");
    await send(page);
    assert.match(await rawAnswer(page), /你好, it's/);
    await page.goto(`${url}#/identity_int64/1`);
    await page.getByRole("tab", { name: "JSON" }).click();
    await page.locator("fieldset textarea").fill("[[9007199254740993]]");
    await send(page);
    assert.match(await rawAnswer(page), /9007199254740993/);
    await page.getByRole("tab", { name: "Table" }).click();
    assert.match(await page.locator(".values").innerText(), /9007199254740993/);
  });

  await t.test("the code makes the same call: curl, Python and TypeScript are run", async () => {
    await page.goto(`${url}#/add_sub/1`);
    await page.getByLabel("INPUT0, row 1, column 1", { exact: true }).fill("123");
    await using folder = await createTempDir("slipway-code");
    const code = async (name: string): Promise<string> => {
      await page.getByRole("tab", { name, exact: true }).click();
      return page.locator("section", { hasText: "The same call" }).locator("pre").innerText();
    };
    const outputOf = async (program: string, ...args: readonly string[]): Promise<string> =>
      (await promisify(execFile)(program, args, { cwd: folder.path })).stdout;
    assert.match(await outputOf("sh", "-c", await code("curl")), /"data":\[123,/);
    await writeFile(join(folder.path, "call.py"), await code("Python"));
    assert.match(await outputOf("python3", "call.py"), /'data': \[123,/);
    await writeFile(join(folder.path, "call.mts"), await code("TypeScript"));
    assert.match(await outputOf(process.execPath, "call.mts"), /"data":\[123,/);
    assert.match(
      await code("grpcurl"),
      new RegExp(`127.0.0.1:${server.ports.grpc ?? 0} inference.GRPCInferenceService/ModelInfer`),
    );
  });

  await t.test("an error is shown in the server's own words", async () => {
    await page.goto(`${url}#/fail/1`);
    await send(page);
    assert.match(await page.locator(".failure").innerText(), /500[^]*this model always fails/);
  });

  await t.test("requests appear in the charts", async () => {
    await page.locator(".charts", { hasText: /p95 [\d.]+ m?s/ }).waitFor({ timeout: 15_000 });
  });
});

test("the page is small, quick and strict, and people can read it in both colours, languages and on a phone", async (t) => {
  const browser = await startBrowser(t);
  if (browser === undefined) return;
  await using server = await serveModel(DIGIT, { host: "127.0.0.1", log: quiet });
  const url = `http://127.0.0.1:${server.ports.http}/`;
  const answer = await fetch(url);
  const policy = answer.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'.*script-src 'self'.*frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  assert.doesNotMatch(await answer.text(), /<script(?![^>]*\ssrc=)|\son\w+=|\sstyle=/);

  const first: number[] = [];
  for (let load = 0; load < 3; load += 1) {
    const page = await open(browser, url);
    const { paint, bytes } = await page.evaluate<{ paint: number; bytes: number }>(`({
      paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Infinity,
      bytes: [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
        .reduce((sum, { transferSize }) => sum + transferSize, 0),
    })`);
    assert.ok(bytes > 5000 && bytes < 120 * 1024, `${bytes} bytes were transferred`);
    first.push(paint);
    await page.context().close();
  }
  assert.ok(Math.min(...first) < 300, `the first paint came after ${first.join(", ")} ms`);

  for (const options of [
    { colorScheme: "light" },
    { colorScheme: "dark" },
    { colorScheme: "light", locale: "zh-CN", viewport: { width: 390, height: 844 } },
  ] as const) {
    const page = await open(browser, url, options);
    if (options.colorScheme === "dark" || !("locale" in options)) await drawSeven(page);
    const name = "locale" in options ? "发送" : "Send";
    await page.getByRole("button", { name, exact: true }).click();
    await page.waitForSelector(".bars");
    await page.evaluate(axe.source);
    const found = await page.evaluate<readonly string[]>(
      `axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] }).then(({ violations }) =>
        violations.map(({ id, nodes }) => id + ": " + nodes[0].html))`,
    );
    assert.deepEqual(found, [], JSON.stringify(options));
    const excess = await page.evaluate<number>(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth",
    );
    assert.ok(excess <= 0, `${excess} pixels stand out at the side`);
    await page.context().close();
  }
});

const CLASSES = {
  seldon: "class Model:\n    def predict(self, X, names):\n        return X * 2\n",
  uai: 'class Model:\n    def __init__(self, conf):\n        pass\n    def execute(self, data, batch_size):\n        return ["%d bytes" % len(one.read()) for one in data]\n',
};

for (const contract of ["seldon", "uai"] as const)
  test(`a class of ${contract} that does not say what it takes can be tried too`, async (t) => {
    const browser = await startBrowser(t);
    const environment = browser && (await pythonEnv(t, { packages: ["numpy"] }));
    if (browser === undefined || environment === undefined) return;
    await using folder = await createTempDir("slipway-page");
    await writeFile(join(folder.path, "model.py"), CLASSES[contract]);
    const conf = { http_server: { exec: { main_file: "model", main_class: "Model" } } };
    await writeFile(join(folder.path, "ufile.json"), JSON.stringify(conf));
    await using server = await serveModel(
      {
        ...{ schemaVersion: 1, name: "m", kind: "class", contract, service: "MODEL" },
        ...{ codePath: folder.path, ports: { http: 0 }, server: {} },
        code: { file: "model.py", name: "Model", language: "python" },
        python: { executable: environment.python, path: [] },
      },
      { host: "127.0.0.1", log: quiet },
    );
    const page = await open(browser, `http://127.0.0.1:${server.ports.http}/`);
    await page.locator("textarea").fill(contract === "uai" ? "four" : "[[1, 2, 21]]");
    await send(page);
    assert.match(
      await rawAnswer(page),
      contract === "uai" ? /4 bytes/ : /\[\s*2(?:\.0)?, 4(?:\.0)?, 42/,
    );
    if (contract === "seldon") return;
    await page.getByRole("tab", { name: "File" }).click();
    const buffer = Buffer.alloc(1234);
    await page
      .locator('input[type="file"]')
      .setInputFiles({ name: "a.bin", mimeType: "application/octet-stream", buffer });
    await page.getByText("Chosen: a.bin").waitFor();
    await send(page);
    assert.match(await rawAnswer(page), /1234 bytes/);
  });

test("a server without the page answers / as its contract answers an unknown path", async () => {
  await using server = await serveModel(DIGIT, { host: "127.0.0.1", log: quiet, page: false });
  const url = `http://127.0.0.1:${server.ports.http}`;
  for (const path of ["/", "/ui/server.json"]) assert.equal((await fetch(url + path)).status, 404);
  assert.equal((await fetch(`${url}/v2`)).status, 200);
});

test("a server that asks for a key gets it from the page, for every question", async (t) => {
  const browser = await startBrowser(t);
  if (browser === undefined) return;
  const key = "a-key-for-the-page";
  await using server = await serveModel(DIGIT, {
    ...{ host: "127.0.0.1", log: quiet },
    keys: parseKeys(`page ${key}`, "the test"),
  });
  const context = await browser.newContext({ locale: "en-US" });
  const page = await context.newPage();
  page.on("pageerror", (error) => assert.fail(`the page threw: ${error.message}`));
  await page.goto(`http://127.0.0.1:${server.ports.http}/`);
  await page.getByLabel("API key").fill("not-the-right-one-at-all");
  await page.getByRole("button", { name: "Use it" }).click();
  await page.getByText("That key is not known").waitFor();
  await page.getByLabel("API key").fill(key);
  await page.getByRole("button", { name: "Use it" }).click();
  await page.locator("canvas").waitFor();
  await drawSeven(page);
  await send(page);
  assert.equal(await page.locator(".bars .best th").innerText(), "7");
  assert.match(await page.locator(".code").innerText(), /Authorization: Bearer \$SLIPWAY_API_KEY/);
});
