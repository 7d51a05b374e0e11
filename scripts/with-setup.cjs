// Runs `npm test` and `npm run demo` from a bare checkout: installs the dependencies when they are missing or old,
// builds, and hands over to Node 24 from node_modules. Plain CommonJS without new syntax, because the Node that starts it may be old.
"use strict";
const { spawnSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const root = path.resolve(__dirname, "..");
const node = path.join(
  root,
  "node_modules",
  "node",
  "bin",
  process.platform === "win32" ? "node.exe" : "node",
);
const stamp = path.join(root, "node_modules", ".slipway-setup");
const scripts = { test: "scripts/run-tests.js", demo: "scripts/demo.js" };
const task = process.argv[2];

if (!Object.prototype.hasOwnProperty.call(scripts, task))
  fail("usage: node scripts/with-setup.cjs " + Object.keys(scripts).join("|"));
if (!isInstalled()) install();
run(node, ["scripts/build.js"], "build");
const result = spawnSync(node, [scripts[task]].concat(process.argv.slice(3)), {
  cwd: root,
  stdio: "inherit",
  env: environment(),
});
process.exit(result.status === null ? 1 : result.status);

function isInstalled() {
  try {
    return fs.readFileSync(stamp, "utf8") === lockDigest() && major(node) >= 24;
  } catch (error) {
    return false;
  }
}

function install() {
  say("installing dependencies with npm ci (once; they stay in node_modules)");
  run(
    process.platform === "win32" ? "npm.cmd" : "npm",
    ["ci", "--no-audit", "--no-fund", "--loglevel=error"],
    "npm ci",
  );
  if (major(node) < 24)
    run(
      process.execPath,
      [path.join(root, "node_modules", "node", "installArchSpecificPackage.js")],
      "installing Node 24",
      path.join(root, "node_modules", "node"),
    );
  if (major(node) < 24) fail("Node 24 could not be installed from npm: see the messages above");
  fs.writeFileSync(stamp, lockDigest());
}

function lockDigest() {
  return createHash("sha256")
    .update(fs.readFileSync(path.join(root, "package-lock.json")))
    .digest("hex");
}

function major(program) {
  const answer = spawnSync(program, ["--version"], { encoding: "utf8" });
  return answer.status === 0 ? Number(answer.stdout.slice(1).split(".")[0]) : 0;
}

function run(program, args, what, cwd) {
  const answer = spawnSync(program, args, {
    cwd: cwd || root,
    stdio: ["ignore", "inherit", "inherit"],
    env: environment(),
  });
  if (answer.status !== 0)
    fail(what + " failed" + (answer.error ? ": " + answer.error.message : ""));
}

// ONNX Runtime's install script would look for CUDA libraries on the network; the CPU build needs none of them.
function environment() {
  const bin = path.join(root, "node_modules", ".bin");
  return Object.assign({}, process.env, {
    ONNXRUNTIME_NODE_INSTALL: "skip",
    ONNXRUNTIME_NODE_INSTALL_CUDA: "skip",
    PATH: bin + path.delimiter + process.env.PATH,
  });
}

function say(text) {
  process.stderr.write("setup: " + text + "\n");
}

function fail(text) {
  say(text);
  process.exit(1);
}
