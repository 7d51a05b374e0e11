import assert from "node:assert/strict";
import { test } from "node:test";
import { ComponentError, type UserFailure } from "../../serving/plane/index.ts";
import { createSession } from "../session.ts";
import { explainMissing, type NeededPackages } from "./missing-packages.ts";

const session = createSession({ environment: { PATH: process.env["PATH"] ?? "" } });

function failure(lacks: UserFailure["lacks"]): ComponentError {
  const about = { type: "ModuleNotFoundError", message: "", status: 500, reason: "" };
  return new ComponentError("MODEL_LOAD_FAILED", "load", {
    model: "m",
    failure: { ...about, isRefusal: false, traceback: "", ...(lacks && { lacks }) },
  });
}

/** A Python that says it has none of what it is asked for. */
async function explained(
  lacks: UserFailure["lacks"],
  more: Partial<NeededPackages> = {},
): Promise<unknown> {
  const needed = { python: "python3", files: [], root: "/p", isInstalled: false, ...more };
  return explainMissing(failure(lacks), { lines: [], ...needed }, session);
}

async function hintOf(...args: Parameters<typeof explained>): Promise<string | undefined> {
  return ((await explained(...args)) as ComponentError).hint;
}

test("all packages that the interpreter lacks are named, with the lines that ask for them", async () => {
  const lines = ["acme_one>=2", "Acme.Two==1.0"];
  const error = (await explained({ module: "acme_one" }, { lines })) as ComponentError;
  assert.equal(error.code, "MODEL_LOAD_FAILED");
  assert.equal(error.message, 'load the model in "/p": python3 lacks acme-one, acme-two');
  assert.equal(
    error.hint,
    "run `python3 -m pip install 'acme_one>=2' Acme.Two==1.0`, or serve it with --install, which keeps an environment for it",
  );
});

test("a module that no line asks for is named by the package that brings it", async () => {
  const module = "acme_vision";
  assert.match((await hintOf({ module })) ?? "", /pip install acme-vision`/);
  assert.match(
    (await hintOf({ module }, { files: ["requirements.txt"] })) ?? "",
    /pip install -r \/p\/requirements\.txt`/,
  );
  assert.match(
    (await hintOf({ module }, { isInstalled: true })) ?? "",
    /^add acme-vision to requirements\.txt/,
  );
});

test("other failures stay as they are", async () => {
  for (const lacks of [
    undefined,
    { module: "numpy", attribute: "int" },
    { module: "keras.engine" },
  ])
    assert.equal(((await explained(lacks)) as Error).message, "load");
  const other = new Error("x");
  const needed = { python: "python3", lines: [], files: [], root: "/p", isInstalled: false };
  assert.equal(await explainMissing(other, needed, session), other);
});
