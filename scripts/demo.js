// The main job, end to end, on real models: trains two, makes a base from Debian packages, packs, pushes to a registry, runs what was
// pushed, and compares the predictions with the libraries' own answers. No Docker and no public container registry is needed.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const place = join(root, ".slipway", "demo");
const environment = {
  ...process.env,
  XDG_DATA_HOME: join(place, "data"),
  XDG_STATE_HOME: join(place, "state"),
  XDG_CACHE_HOME: join(root, ".slipway", "cache"),
  // uv keeps its own cache where the user has it, so that wheels are fetched once a machine
  UV_CACHE_DIR:
    process.env.UV_CACHE_DIR ??
    join(process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? "/tmp", ".cache"), "uv"),
};
const started = performance.now();
const running = [];

try {
  rmSync(join(place, "data"), { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  const python = preparePython();
  environment.PATH = `${join(place, "..", "venv", "bin")}:${process.env.PATH}`;

  say("Training two models on data sets that ship with scikit-learn");
  run(python, ["-W", "ignore", "examples/iris/train.py"]);
  run(python, ["-W", "ignore", "examples/digits-onnx/train.py"]);

  const registry = await startRegistry();
  say("Making base images from Debian packages, without root and without a container");
  slipway("base", "debian", "--include", "python3", "--name", "pybase");
  slipway("base", "debian", "--name", "onnxbase");

  await demo({
    folder: "examples/iris",
    base: "store:pybase",
    image: `${registry}/iris:v1`,
    check: checkIris,
  });
  await demo({
    folder: "examples/digits-onnx",
    base: "store:onnxbase",
    image: `${registry}/digits:v1`,
    check: checkDigits,
  });
  say(
    `Done in ${((performance.now() - started) / 1000).toFixed(0)} s: both images answer exactly as the libraries do.`,
  );
} catch (error) {
  process.exitCode = 1;
  process.stderr.write(
    `\ndemo failed: ${error instanceof Error ? error.message : String(error)}\n`,
  );
} finally {
  for (const child of running) child.kill("SIGTERM");
}

async function demo({ folder, base, image, check }) {
  say(`Packing ${folder} and pushing it to ${image}`);
  slipway("pack", folder, "--base", base, "-t", image, "--push");
  say(`Running what was pushed`);
  rmSync(join(place, "run"), { recursive: true, force: true });
  const port = await freePort();
  const server = await startImage(image, port);
  await check(`http://127.0.0.1:${port}/predict`);
  server.kill("SIGINT");
  await new Promise((done) => server.once("exit", done));
}

async function checkIris(url) {
  const expected = JSON.parse(readFileSync(join(root, "examples/iris/expected.json"), "utf8"));
  const answer = await predict(url, {
    data: {
      names: ["sepal length", "sepal width", "petal length", "petal width"],
      ndarray: expected.rows,
    },
  });
  same("iris", answer.data.ndarray, expected.probabilities, 1e-12);
  const best = answer.data.ndarray[0].indexOf(Math.max(...answer.data.ndarray[0]));
  process.stdout.write(
    `  iris ${JSON.stringify(expected.rows[0])} is ${answer.data.names[best]}; ${expected.rows.length} rows equal scikit-learn's own answers\n`,
  );
}

async function checkDigits(url) {
  const expected = JSON.parse(
    readFileSync(join(root, "examples/digits-onnx/expected.json"), "utf8"),
  );
  const answer = await predict(url, { data: { ndarray: expected.rows } });
  same("digits", answer.data.ndarray, expected.probabilities, 1e-4);
  const digit = answer.data.ndarray[0].indexOf(Math.max(...answer.data.ndarray[0]));
  process.stdout.write(
    `  the first image is a ${digit}; ${expected.rows.length} images equal scikit-learn's own answers\n`,
  );
}

async function predict(url, body) {
  process.stdout.write(`  POST ${url}\n`);
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text);
}

function same(what, actual, expected, tolerance) {
  if (actual.length !== expected.length)
    throw new Error(`${what}: ${actual.length} answers for ${expected.length} rows`);
  for (const [row, values] of expected.entries()) {
    for (const [column, value] of values.entries()) {
      if (!(Math.abs(actual[row][column] - value) <= tolerance))
        throw new Error(
          `${what}: row ${row} column ${column} is ${actual[row][column]}, and the library says ${value}`,
        );
    }
  }
}

/** A Python with the training libraries, kept in the checkout. */
function preparePython() {
  const venv = join(root, ".slipway", "venv");
  const python = join(venv, "bin", "python");
  const wanted = `${readFileSync(join(root, "examples/iris/requirements.txt"), "utf8")}${readFileSync(join(root, "examples/digits-onnx/requirements-train.txt"), "utf8")}uv\n`;
  const stamp = join(venv, "slipway-demo.txt");
  if (existsSync(python) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted)
    return python;
  say("Preparing Python packages (once; they stay in .slipway/venv)");
  if (spawnSync("python3", ["--version"]).status !== 0)
    throw new Error(
      "python3 is not installed; on Debian or Ubuntu: apt-get install python3 python3-venv",
    );
  rmSync(venv, { recursive: true, force: true });
  run("python3", ["-m", "venv", venv]);
  const file = join(venv, "wanted.txt");
  writeFileSync(file, [...new Set(wanted.split("\n"))].join("\n"));
  run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", file]);
  writeFileSync(stamp, wanted);
  return python;
}

/** Starts `slipway registry` and gives its `host:port`. */
async function startRegistry() {
  say("Starting a registry over the local store");
  const child = start(["registry", "--port", "0"]);
  const line = await firstLineWith(child, /https?:\/\/([\w.-]+:\d+)/);
  return line[1];
}

/** Starts a pushed image with docker or podman, or unpacked when there is neither. */
async function startImage(image, port) {
  const child = start(["run", image, "-p", `${port}:9000`, ...(hasEngine() ? [] : ["--unpacked"])]);
  await firstLineWith(child, /curl /);
  return child;
}

/** True when docker or podman answers; without one the image runs unpacked, with its own Node and Python. */
function hasEngine() {
  return ["docker", "podman"].some(
    (program) => spawnSync(program, ["info"], { stdio: "ignore", timeout: 20_000 }).status === 0,
  );
}

function start(args) {
  process.stdout.write(`$ slipway ${args.join(" ")}\n`);
  const child = spawn(process.execPath, [join(root, "bin/slipway.js"), ...args], {
    cwd: root,
    env: environment,
    stdio: ["ignore", "pipe", "inherit"],
  });
  running.push(child);
  return child;
}

function firstLineWith(child, pattern) {
  return new Promise((found, failed) => {
    let text = "";
    child.once("exit", (code) =>
      failed(new Error(`the command ended with ${code} before it was ready`)),
    );
    child.stdout.setEncoding("utf8").on("data", (chunk) => {
      process.stdout.write(chunk.replaceAll(/^/gm, "  ").replace(/ {2}$/, ""));
      text += chunk;
      const match = pattern.exec(text);
      if (match !== null && text.indexOf("\n", match.index) >= 0) found(match);
    });
  });
}

function slipway(...args) {
  process.stdout.write(`$ slipway ${args.join(" ")}\n`);
  run(process.execPath, [join(root, "bin/slipway.js"), ...args]);
}

function run(program, args) {
  const result = spawnSync(program, args, { cwd: root, env: environment, stdio: "inherit" });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0)
    throw new Error(`${[program, ...args].join(" ")} ended with ${result.status}`);
}

function freePort() {
  return new Promise((found, failed) => {
    const server = createServer()
      .once("error", failed)
      .listen(0, "127.0.0.1", () => {
        const { port } = server.address();
        server.close(() => found(port));
      });
  });
}

function say(text) {
  process.stdout.write(`\n== ${text}\n`);
}
