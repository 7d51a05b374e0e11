import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcessError, type ToolError } from "../../ground/errors/index.ts";
import { explainResolverError, hideCredentials, isNetworkError } from "./explain.ts";

const failed = (stderrTail: string): ProcessError =>
  new ProcessError("PROCESS_FAILED", 'run "uv": exit code 1', {
    command: ["uv"],
    exitCode: 1,
    stderrTail,
  });

for (const { name, stderr, code, message } of [
  {
    name: "a full disk",
    stderr:
      "error: Failed to download `six==1.17.0`\n  cause: Failed to write to the distribution cache: failed to create file `/cache/uv/archive-v0/x`: No space left on device (os error 28)",
    code: "DISK_FULL",
    message: 'install Python packages: no space left on the device of "/cache/uv/archive-v0/x"',
  },
  {
    name: "a package with sources only",
    stderr:
      "error: No solution found when resolving dependencies\n  cause: Because pyspark==3.5.0 has no usable wheels and you require pyspark==3.5.0, we can conclude that your requirements are unsatisfiable.\n\nhint: Wheels are required for `pyspark` because building from source is disabled",
    code: "REQUIREMENT_WITHOUT_WHEEL",
    message: 'resolve "pyspark" 3.5.0: there is no wheel of it, only sources',
  },
  {
    name: "a package without a wheel for this Python",
    stderr:
      "  cause: Because torch==1.0.0 has no wheels with a matching Python ABI tag (e.g., `cp311`) and you require torch==1.0.0, we can\n conclude that your requirements are unsatisfiable.\n\nhint: You require CPython 3.11 (`cp311`), but we only found wheels for `torch` (v1.0.0) with the following Python ABI tags: `cp27m`, `cp37m`",
    code: "REQUIREMENT_WITHOUT_WHEEL",
    message:
      'resolve "torch" 1.0.0: none of its wheels fits the target\'s python abi (it has Python ABI tags: cp27m, cp37m)',
  },
  {
    name: "a name that no index knows",
    stderr:
      "  cause: Because nosuch was not found in the package registry and you require nosuch, we can conclude",
    code: "PACKAGE_UNAVAILABLE",
    message: 'resolve "nosuch": no index has a package of this name',
  },
  {
    name: "a version that does not exist",
    stderr: "  cause: Because there is no version of numpy==99 and you require numpy==99, we",
    code: "PACKAGE_UNAVAILABLE",
    message: 'resolve "numpy": no index has version ==99',
  },
  {
    name: "a package that is not cached, offline",
    stderr: "Because flask was not found in the cache and you require flask",
    code: "PACKAGE_UNAVAILABLE",
    message: 'resolve "flask": it is not in the cache and the network cannot be used',
  },
  {
    name: "an index that does not answer",
    stderr:
      "error: Request failed after 3 retries\n  cause: Failed to fetch: http://u:secret@127.0.0.1:9/simple/flask/\n  cause: tcp connect error",
    code: "PACKAGE_UNAVAILABLE",
    message: /"http:\/\/\*\*\*@127\.0\.0\.1:9\/simple\/flask\/" cannot be reached/,
  },
  {
    name: "an index that refuses",
    stderr: "Failed to fetch: x\nHTTP status client error (401 Unauthorized) for url",
    code: "PACKAGE_UNAVAILABLE",
    message: /refused the credentials/,
  },
  {
    name: "versions that contradict each other",
    stderr:
      "No solution found when resolving dependencies\n Because a==1 depends on c<2 and b==1 depends on c>=2",
    code: "REQUIREMENTS_INVALID",
    message: /no set of versions satisfies all of them\n.*a==1 depends on c<2/s,
  },
  {
    name: "a line that is no requirement",
    stderr:
      "error: Couldn't parse requirement in `x` at position 0\n  Unexpected end of version specifier",
    code: "REQUIREMENTS_INVALID",
    message: /could not read or satisfy them\n.*Couldn't parse/s,
  },
] as const) {
  test(`${name} is explained`, () => {
    const error = explainResolverError(failed(stderr)) as Error & { code: string; hint?: string };
    assert.equal(error.code, code);
    if (typeof message === "string") assert.equal(error.message, message);
    else assert.match(error.message, message);
    assert.ok(error.hint, "says what to do");
  });
}

test("a repository that git does not get is no index that cannot be reached", () => {
  const text =
    "  × Failed to download and build `x @ git+ssh://git@git.test/x.git`\n  ├─▶ Git operation failed\n  ╰─▶ failed to fetch into: /c\n fatal: Could not read from remote repository.";
  const error = explainResolverError(failed(text)) as ToolError;
  assert.equal(error.code, "REQUIREMENT_WITHOUT_WHEEL");
  assert.match(error.message, /fetch "git\+ssh:\/\/\*\*\*@git\.test\/x\.git": git does not get it/);
});

test("credentials never reach a message", () => {
  assert.equal(
    hideCredentials("get https://user:pa%40ss@host/x and //tok@h"),
    "get https://***@host/x and //***@h",
  );
});

test("other errors come back as they are", () => {
  const other = new Error("disk");
  assert.equal(explainResolverError(other), other);
});

test("a refused connection counts as no network, an unsatisfiable set does not", () => {
  assert.equal(isNetworkError(failed("error sending request for url")), true);
  assert.equal(isNetworkError(failed("No solution found")), false);
});
