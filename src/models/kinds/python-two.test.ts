import assert from "node:assert/strict";
import { test } from "node:test";
import { findPython2 } from "./python-two.ts";

const OLD: readonly (readonly [source: string, line: number, why: RegExp])[] = [
  ["import sys\nprint 'hello'\n", 2, /print/],
  ["print >>sys.stderr, x\n", 1, /print/],
  ["try:\n  pass\nexcept ValueError, e:\n  pass\n", 3, /except/],
  ["try:\n  pass\nexcept (A, B), e:\n  pass\n", 3, /except/],
  ["raise ValueError, 'x'\n", 1, /raise/],
  ["if a <> b:\n  pass\n", 1, /<>/],
  ["x = `y`\n", 1, /backticks/],
  ["os.chmod(p, 0755)\n", 1, /octal/],
  ["x = 10L\n", 1, /L/],
  ["import urllib2\n", 1, /module/],
  ["exec 'x = 1'\n", 1, /exec/],
  ["class A:\n    def f(self):\n\tx = 1\n\ty = 2\n", 3, /tabs/],
  ["if a:\n        x = 1\n\ty = 2\n", 3, /tabs/],
];

for (const [source, line, why] of OLD)
  test(`Python 2 is seen in ${JSON.stringify(source)}`, () => {
    const found = findPython2(source);
    assert.equal(found?.line, line);
    assert.match(found.why, why);
  });

const NEW = [
  "print('x')\nprint (x)\n",
  "print\n",
  's = """\nprint "old"\n\tmixed\n    lines\n"""\n',
  "# print 'x'\nx = 'print 1 <> 2 `a`'  # exec 'y'\n",
  "try:\n  import cPickle as pickle\nexcept ImportError:\n  import pickle\n",
  "x = [\n\t1,\n    2,\n]\n",
  "if a:\n\tx = 1\n\tif b:\n\t\ty = 2\nz = 0.5 + 0 + 00 + 1e10 + 0o17\n",
  "def f(*, a: int = 1) -> None:\n    return f'{a!r:>10}'\n",
  "x = 'it\\'s' + \"a # b\"\ny = 1\n",
  "printer = 1\nprint_it = 2\nexecutor = 3\n",
];

for (const source of NEW)
  test(`Python 3 is left alone: ${JSON.stringify(source)}`, () =>
    assert.equal(findPython2(source), undefined));
