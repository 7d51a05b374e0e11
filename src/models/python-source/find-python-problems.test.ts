import assert from "node:assert/strict";
import { test } from "node:test";
import { findPythonProblems } from "./index.ts";

const OLD: readonly (readonly [
  source: string,
  line: number,
  why: RegExp,
  instead?: string | undefined,
])[] = [
  ["import sys\nprint 'hello'\n", 2, /print/, "print('hello')"],
  ['    print "%d of %d" % (a, b)  # so far\n', 1, /print/, 'print("%d of %d" % (a, b))'],
  ["print >>sys.stderr, x\n", 1, /print/, "print(x, file=sys.stderr)"],
  ["print 'a', b,\n", 1, /print/, `print('a', b, end=" ")`],
  ["if x: print 'a'\n", 1, /print/, "if x: print('a')"],
  ["x = 1; print x\n", 1, /print/, "print(…)"],
  ["print ('%s') % x\n", 1, /%/, "print('%s' % x)"],
  ["try:\n  pass\nexcept ValueError, e:\n  pass\n", 3, /except/, "except ValueError as e:"],
  ["try:\n  pass\nexcept (A, B), e:\n  pass\n", 3, /except/, "except (A, B) as e:"],
  ["raise ValueError, 'x'\n", 1, /raise/, "raise ValueError('x')"],
  ["if a <> b:\n  pass\n", 1, /<>/, "if a != b:"],
  ["x = `y`\n", 1, /backticks/, "x = repr(y)"],
  ["os.chmod(p, 0755)\n", 1, /octal/, "0o755"],
  ["x = 10L\n", 1, /L/, "10"],
  ["x = ur'a'\n", 1, /ur/],
  ["import urllib2\n", 1, /urllib2/, "import urllib.request"],
  ["from StringIO import StringIO\n", 1, /StringIO/, "from io import StringIO"],
  ["import os, cPickle as pickle\n", 1, /cPickle/, "import pickle"],
  ["exec 'x = 1'\n", 1, /exec/, "exec('x = 1')"],
  ["exec code in scope\n", 1, /exec/, "exec(code, scope)"],
  ["def f(a, (b, c)):\n  pass\n", 1, /tuple/],
  ["x = sorted(y, key=lambda (k, v): v)\n", 1, /tuple/],
  ["x = x.cuda(async=True)\n", 1, /async/, "non_blocking="],
  ["class A:\n    def f(self):\n\tx = 1\n\ty = 2\n", 3, /tabs/, "spaces only"],
  ["if a:\n        x = 1\n\ty = 2\n", 3, /tabs/, "spaces only"],
  ["for i in xrange(3):\n  pass\n", 1, /xrange/, "range"],
  ["for k, v in d.iteritems():\n  pass\n", 1, /dictionaries/, ".items()"],
  ["x = d.keys()[0]\n", 1, /view/, "list(….keys())[…]"],
  ["if d.has_key('a'):\n  pass\n", 1, /has_key/, "KEY in DICTIONARY"],
  ["f = urllib.urlopen(url)\n", 1, /moved/, "urllib.request.urlopen"],
];

for (const [source, line, why, instead] of OLD)
  test(`Python 2 is seen in ${JSON.stringify(source)}`, () => {
    const [found] = findPythonProblems(source);
    assert.equal(found?.line, line);
    assert.match(found.why, why);
    assert.equal(found.instead, instead ?? found.instead);
  });

const NEW = [
  "print('x')\nprint (x)\nprint(('%s') % x)\n",
  "print\n",
  's = """\nprint "old"\n\tmixed\n    lines\n"""\n',
  "# print 'x'\nx = 'print 1 <> 2 `a`'  # exec 'y'\n",
  "try:\n  import cPickle as pickle\nexcept ImportError:\n  import pickle\n",
  "x = [\n\t1,\n    2,\n]\n",
  "if a:\n\tx = 1\n\tif b:\n\t\ty = 2\nz = 0.5 + 0 + 00 + 1e10 + 0o17\n",
  "def f(*, a: int = 1) -> None:\n    return f'{a!r:>10}'\n",
  "x = 'it\\'s' + \"a # b\"\ny = 1\n",
  "printer = 1\nprint_it = 2\nexecutor = 3\n",
  "try:\n  xrange\nexcept NameError:\n  xrange = range\nfor i in xrange(3):\n  pass\n",
  "from six.moves import xrange\nfor i in xrange(3):\n  pass\n",
  "def f(x=(1, 2)):\n  return lambda a, b=(1, 2): (a, b)\n",
  "async def f():\n  async with a as b:\n    pass\n",
  "match x:\n  case {'a': y}:\n    print(y)\n",
  "x = np.int(3).keys\ny = self.unicode(3)\nz = a.reduce(b)\n",
  "d: dict[str, int] = {'print': 1}\nx = 1 if y else 2\n",
];

for (const source of NEW)
  test(`Python 3 is left alone: ${JSON.stringify(source)}`, () =>
    assert.deepEqual(findPythonProblems(source), []));

test("every problem of a file is named", () => {
  const source = "import urllib2\nprint 'a'\ntry:\n  pass\nexcept E, e:\n  print e\n";
  assert.deepEqual(
    findPythonProblems(source).map(({ line }) => line),
    [1, 2, 5, 6],
  );
});

test("a file with many mixed lines has one problem, at the first", () => {
  const source = `class A:\n    def f(self):\n${"        x = 1\n\ty = 2\n".repeat(20)}`;
  const found = findPythonProblems(source);
  assert.equal(found.length, 1);
  assert.match(found[0]?.why ?? "", /19 more lines/);
});

test("a long hostile line takes little time", () => {
  const started = performance.now();
  findPythonProblems(`print ${"(".repeat(100_000)}\n`);
  findPythonProblems(`def f(${"a,".repeat(100_000)}\n`);
  findPythonProblems(`print (${"((a)".repeat(30_000)}) %\n`);
  findPythonProblems(`lambda ${"a, ".repeat(50_000)}\n`);
  assert.ok(performance.now() - started < 2000);
});
