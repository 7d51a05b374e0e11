import assert from "node:assert/strict";
import { test } from "node:test";
import { isToolError } from "../../ground/errors/index.ts";
import { knownRegistries, parseRegistryHosts, switchRegistryHost, UAI_REGISTRY } from "./index.ts";

const IMAGE = "team/app:v1@sha256:aa";

test("the vendor's hosts stand for each other, both ways", () => {
  assert.equal(
    switchRegistryHost(`uhub.ucloud.cn/${IMAGE}`, "internal"),
    `uhub.service.ucloud.cn/${IMAGE}`,
  );
  assert.equal(
    switchRegistryHost(`uhub.service.ucloud.cn/${IMAGE}`, "public"),
    `uhub.ucloud.cn/${IMAGE}`,
  );
  assert.equal(switchRegistryHost(`uhub.ucloud.cn/${IMAGE}`, "public"), `uhub.ucloud.cn/${IMAGE}`);
  assert.equal(
    switchRegistryHost(`uhub.ucloud.cn/${IMAGE}`, "internal", [UAI_REGISTRY]),
    `uhub.service.ucloud.cn/${IMAGE}`,
  );
});

test("any pair of the settings is switched, with its port, whatever the letters' size", () => {
  const pairs = parseRegistryHosts(
    " hub.example.com=10.0.0.1:5000 , Same.example.com=same.example.com",
  );
  assert.equal(
    switchRegistryHost(`HUB.example.com/${IMAGE}`, "internal", pairs),
    `10.0.0.1:5000/${IMAGE}`,
  );
  assert.equal(
    switchRegistryHost(`10.0.0.1:5000/${IMAGE}`, "public", pairs),
    `hub.example.com/${IMAGE}`,
  );
  assert.equal(
    switchRegistryHost(`same.example.com/${IMAGE}`, "internal", pairs),
    `same.example.com/${IMAGE}`,
  );
  assert.equal(
    switchRegistryHost(`uhub.ucloud.cn/${IMAGE}`, "internal", pairs),
    `uhub.ucloud.cn/${IMAGE}`,
    "only pairs that were given",
  );
});

test("other hosts, and hosts that only begin like one, are left alone", () => {
  for (const image of [
    `docker.io/${IMAGE}`,
    "team/app:v1",
    "uhub.ucloud.cn",
    `uhub.ucloud.cn.example.com/${IMAGE}`,
    `uhub.ucloud.cn:5000/${IMAGE}`,
    `example.com/uhub.ucloud.cn/${IMAGE}`,
  ]) {
    assert.equal(switchRegistryHost(image, "internal"), image);
  }
});

test("what is no pair of hosts is refused by name", () => {
  assert.deepEqual(parseRegistryHosts(""), []);
  for (const text of [
    "a.com",
    "a.com=",
    "=b.com",
    "a.com=b.com=c.com",
    "a.com/x=b.com",
    "https://a.com=b.com",
    "a.com=b.com,a.com=c.com",
    "a.com=b.com,c.com=b.com",
  ]) {
    assert.throws(
      () => parseRegistryHosts(text),
      (error) =>
        isToolError(error) &&
        error.code === "USAGE" &&
        error.message.includes(`"${text.split(",").at(-1) ?? ""}"`),
      text,
    );
  }
});

test("pairs of the settings come first, and the vendor's stays unless they name its hosts", () => {
  const own = { public: "hub.example.com", internal: "10.0.0.1:5000" };
  assert.deepEqual(knownRegistries(undefined), [UAI_REGISTRY]);
  assert.deepEqual(knownRegistries("hub.example.com=10.0.0.1:5000"), [own, UAI_REGISTRY]);
  assert.deepEqual(knownRegistries("uhub.ucloud.cn=10.0.0.1:5000"), [
    { public: "uhub.ucloud.cn", internal: "10.0.0.1:5000" },
  ]);
  assert.throws(() => knownRegistries("nonsense"), { code: "USAGE" });
});
