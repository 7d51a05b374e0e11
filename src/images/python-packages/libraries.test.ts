import assert from "node:assert/strict";
import { test } from "node:test";
import { findMissingLibraries, refuseMissingLibraries, type LibraryFacts } from "./libraries.ts";

const facts = (needs: Record<string, string>, provides: string[] = []): LibraryFacts => ({
  needs,
  provides,
});

test("a library that neither base nor wheel has is named with its package, file and Debian package", () => {
  const missing = findMissingLibraries(
    new Map([
      ["opencv-python", facts({ "libGL.so.1": "cv2/cv2.abi3.so", "libc.so.6": "cv2/cv2.abi3.so" })],
    ]),
    ["libc.so.6"],
  );
  assert.deepEqual(missing, [
    {
      library: "libGL.so.1",
      package: "opencv-python",
      file: "cv2/cv2.abi3.so",
      debianPackage: "libgl1",
    },
  ]);
  assert.throws(() => refuseMissingLibraries(missing), {
    code: "LIBRARY_MISSING",
    message:
      /"libGL\.so\.1" is needed by "cv2\/cv2\.abi3\.so" of opencv-python \(Debian package libgl1\)/,
    hint: /apt: \[libgl1\]/,
  });
});

test("a library of another wheel, the loader and the GPU driver's libraries count as there", () => {
  const packages = new Map([
    [
      "torch",
      facts({
        "libcudart.so.12": "a.so",
        "libcuda.so.1": "a.so",
        "libnvidia-ml.so.1": "a.so",
        "ld-linux-x86-64.so.2": "a.so",
      }),
    ],
    ["nvidia-cuda-runtime", facts({}, ["libcudart.so.12"])],
  ]);
  assert.deepEqual(findMissingLibraries(packages, []), []);
});

test("what the transports of NVIDIA's wheels link to may be missing, and the same of another package may not", () => {
  const needs = { "libibverbs.so.1": "a.so", "libmpi.so.40": "b.so", "librdmacm.so.1": "a.so" };
  assert.deepEqual(findMissingLibraries(new Map([["nvidia-nvshmem-cu12", facts(needs)]]), []), []);
  assert.deepEqual(
    findMissingLibraries(
      new Map([
        ["nvidia-nvshmem-cu12", facts(needs)],
        ["mpi4py", facts({ "libmpi.so.40": "m.so" })],
      ]),
      [],
    ).map((missing) => missing.package),
    ["mpi4py"],
  );
});

test("a library of unknown origin is named without a Debian package", () => {
  const missing = findMissingLibraries(new Map([["x", facts({ "libstrange.so.9": "x.so" })]]), []);
  assert.throws(() => refuseMissingLibraries(missing), {
    code: "LIBRARY_MISSING",
    hint: "use a base image that has them",
  });
});

test("nothing missing is no error", () => refuseMissingLibraries([]));
