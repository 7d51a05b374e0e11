import assert from "node:assert/strict";
import { test } from "node:test";
import { sign } from "./sign.ts";

const COMMON = { PublicKey: "PUB", Region: "cn-bj2", Zone: "cn-bj2-04" };

test("signatures are those of the vendor's own tool", () => {
  const base = { OSVersion: 10, PythonVersion: 20, ...COMMON };
  assert.equal(
    sign({ Action: "GetUAIAvailableEnvPkg", PkgType: "OS", ...COMMON }, "PRI"),
    "dcf00bf0534ff6699674c63ec3c63131abd6d278",
  );
  assert.equal(
    sign(
      {
        Action: "CheckUAIBaseImgExist",
        AIFrameVersion: 33,
        "AptGetPKGID.0": "",
        "PipPKGID.0": "",
        ...base,
      },
      "PRI",
    ),
    "584acce4b1b0182b150c09a2993b8a5a6baadf7a",
  );
  assert.equal(
    sign(
      { Action: "CheckUAITrainBaseImgExists", AIFrameVersion: 31, AcceleratorID: 40, ...base },
      "PRI",
    ),
    "2ba8e521c7baeb53f6e49f2a31d363c5510d1851",
  );
});

test("the order of writing does not matter, an old signature is left out, every value does matter", () => {
  const one = sign({ a: "1", B: "2" }, "k");
  assert.equal(sign({ B: "2", a: "1", Signature: "old" }, "k"), one);
  assert.notEqual(sign({ a: "1", B: "3" }, "k"), one);
  assert.notEqual(sign({ a: "1", B: "2" }, "l"), one);
});

test("truth values are words, lists are joined, other letters are UTF-8", () => {
  assert.equal(sign({ a: true, b: [1, 2], c: "é" }, ""), sign({ a: "true", b: "1,2", c: "é" }, ""));
  assert.equal(sign({ c: "é" }, ""), "d1bc940f3076de8821dbafd349a524edd8a644d0");
});
