import assert from "node:assert/strict";
import { test } from "node:test";
import { findMissingLibraries, refuseMissingLibraries, type SharedLibrary } from "./libraries.ts";

/** Libraries by what they need, as `needed → the file that needs it`, and libraries that need nothing. */
const facts = (
  needs: Readonly<Record<string, string>>,
  provides: readonly string[] = [],
): readonly SharedLibrary[] => [
  ...[...new Set(Object.values(needs))].map((path) => ({
    path,
    needed: Object.keys(needs).filter((library) => needs[library] === path),
  })),
  ...provides.map((name) => ({ path: `lib/${name}`, needed: [] })),
];

test("a library that neither base nor wheel has is named with its package, file and Debian package", () => {
  const { needed: missing } = findMissingLibraries(
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
  assert.deepEqual(findMissingLibraries(packages, []), { needed: [], unneeded: [] });
});

test("what the transports of NVIDIA's wheels link to may be missing, and the same of another package may not", () => {
  const needs = { "libibverbs.so.1": "a.so", "libmpi.so.40": "b.so", "librdmacm.so.1": "a.so" };
  assert.deepEqual(
    findMissingLibraries(new Map([["nvidia-nvshmem-cu12", facts(needs)]]), []).needed,
    [],
  );
  assert.deepEqual(
    findMissingLibraries(
      new Map([
        ["nvidia-nvshmem-cu12", facts(needs)],
        ["mpi4py", facts({ "libmpi.so.40": "m.so" })],
      ]),
      [],
    ).needed.map((missing) => missing.package),
    ["mpi4py"],
  );
});

test("a library of unknown origin is named without a Debian package", () => {
  const { needed: missing } = findMissingLibraries(
    new Map([["x", facts({ "libstrange.so.9": "x.so" })]]),
    [],
  );
  assert.throws(() => refuseMissingLibraries(missing), {
    code: "LIBRARY_MISSING",
    hint: /^use a base image that has it, or pass --allow-missing-library libstrange\.so\.9 /,
  });
});

test("nothing missing is no error", () => refuseMissingLibraries([]));

test("what only an unreached library asks for is a note, and what a module reaches in steps is needed", () => {
  const torch: readonly SharedLibrary[] = [
    { path: "torch/_C.cpython-311-x86_64-linux-gnu.so", needed: ["libtorch.so"] },
    { path: "torch/lib/libtorch.so", needed: ["libinner.so.1"] },
    { path: "torch/lib/libinner-12.so.1", soname: "libinner.so.1", needed: ["libgomp.so.1"] },
    { path: "torch/lib/libgfortran.so.5", needed: ["libquadmath.so.0", "libgomp.so.1"] },
  ];
  const { needed, unneeded } = findMissingLibraries(new Map([["torch", torch]]), []);
  assert.deepEqual(
    [needed, unneeded].map((some) => some.map(({ library, file }) => [library, file])),
    [
      [["libgomp.so.1", "torch/lib/libinner-12.so.1"]],
      [["libquadmath.so.0", "torch/lib/libgfortran.so.5"]],
    ],
  );
});

test("a package without extension modules loads its libraries by name", () => {
  const mxnet: readonly SharedLibrary[] = [
    { path: "mxnet/libmxnet.so", needed: ["libgfortran.so.3"] },
    { path: "mxnet/libgfortran.so.3", needed: ["libquadmath.so.0"] },
  ];
  const { needed } = findMissingLibraries(new Map([["mxnet", mxnet]]), []);
  assert.deepEqual(
    needed.map(({ library }) => library),
    ["libquadmath.so.0"],
  );
  assert.throws(() => refuseMissingLibraries(needed, "flag"), {
    hint: /add `--apt libquadmath0`.*--allow-missing-library libquadmath\.so\.0/,
  });
});
