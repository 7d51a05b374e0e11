import assert from "node:assert/strict";
import { test } from "node:test";
import { entryPointScript, parseEntryPoints, repointScript, sitePathSource } from "./scripts.ts";

const place = { interpreter: "/usr/bin/python3.11", sitePackages: "/opt/slipway/site-packages" };

test("console and GUI scripts are found, other groups and hostile lines are not", () => {
  const text = `[console_scripts]
tool = pkg.cli:main
sub = pkg:app.run [extra]
../evil = pkg:main
broken = pkg
inject = pkg:main(); import os

[other]
no = pkg:main
[gui_scripts]
win=pkg.gui:start
`;
  assert.deepEqual(parseEntryPoints(text), [
    { name: "sub", module: "pkg", attribute: "app.run" },
    { name: "tool", module: "pkg.cli", attribute: "main" },
    { name: "win", module: "pkg.gui", attribute: "start" },
  ]);
});

test("an entry point's script starts the image's Python and finds its packages by itself", () => {
  const script = entryPointScript({ name: "sub", module: "pkg", attribute: "app.run" }, place);
  const lines = script.split("\n");
  assert.equal(lines[0], "#!/usr/bin/python3.11");
  assert.equal(lines[1], sitePathSource(place.sitePackages));
  assert.deepEqual(lines.slice(2), [
    "from pkg import app",
    'if __name__ == "__main__":',
    "    sys.exit(app.run())",
    "",
  ]);
});

for (const [name, before, after] of [
  [
    "an installer's Python",
    "#!/home/me/venv/bin/python3\nprint(1)\n",
    "#!/usr/bin/python3.11\nprint(1)\n",
  ],
  [
    "a Python under a long path",
    "#!/bin/sh\n'''exec' '/a very/long path/bin/python' \"$0\" \"$@\"\n' '''\nprint(1)\n",
    "#!/usr/bin/python3.11\nprint(1)\n",
  ],
  ["a shell script", "#!/bin/sh\necho python\n", "#!/bin/sh\necho python\n"],
  [
    "a script that asks env",
    "#!/usr/bin/env python3\nprint(1)\n",
    "#!/usr/bin/env python3\nprint(1)\n",
  ],
  ["a program", "\x7fELF\x02\x01/usr/bin/python\n", "\x7fELF\x02\x01/usr/bin/python\n"],
] as const) {
  test(`${name}: the first line becomes the image's where it is Python's`, () => {
    assert.equal(
      repointScript(Buffer.from(before, "latin1"), place.interpreter).toString("latin1"),
      after,
    );
  });
}

test("an interpreter that does not fit into a first line is started by way of the shell", () => {
  const long = `/${"x".repeat(130)}/python`;
  assert.match(
    entryPointScript({ name: "a", module: "a", attribute: "a" }, { ...place, interpreter: long }),
    /^#!\/bin\/sh\n'''exec' '\/x+\/python' "\$0" "\$@"\n' '''\n/,
  );
});
