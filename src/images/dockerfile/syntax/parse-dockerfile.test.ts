import assert from "node:assert/strict";
import { test } from "node:test";
import { isToolError } from "../../../ground/errors/index.ts";
import { parseDockerfile } from "./parse-dockerfile.ts";

const REFUSED: readonly (readonly [what: string, text: string, place: string, words: RegExp])[] = [
  ["an instruction that there is not", "FROM scratch\nCOPPY a b\n", "2:1", /COPPY/],
  ["an indented instruction", "FROM scratch\n  COPY a\n", "2:3", /at least two arguments/],
  ["a step before FROM", "COPY a b\nFROM scratch\n", "1:1", /no build stage/],
  ["an open heredoc", "FROM scratch\nCOPY <<EOF /x\nabc\n", "2:1", /unterminated heredoc/],
  ["a flag that COPY does not have", "FROM scratch\nCOPY --fom=x a b\n", "2:1", /--fom/],
  ["a list that is not of texts", 'FROM scratch\nCMD ["a", 1]\n', "2:1", /strings only/],
  ["an escape that is none", "# escape=x\nFROM scratch\n", "1:1", /escape/],
  ["nothing at all", "# only this\n", "1:1", /no instructions/],
];

for (const [what, text, place, words] of REFUSED)
  test(`refuses ${what} with its place`, () => {
    assert.throws(
      () => parseDockerfile(text, "Dockerfile"),
      (error: unknown) =>
        isToolError(error) &&
        error.code === "DOCKERFILE_INVALID" &&
        error.message.startsWith(`build Dockerfile:${place}: `) &&
        words.test(error.message),
    );
  });

test("a keyword that is nearly one is pointed out", () => {
  assert.throws(
    () => parseDockerfile("FROM scratch\nENTRYPONT x\n", "Dockerfile"),
    (error: unknown) => isToolError(error) && error.hint === "did you mean ENTRYPOINT?",
  );
});

test("continued lines, comments among them and blank lines make one instruction", () => {
  const { stages } = parseDockerfile(
    "FROM scratch\nENV A=1 \\\n# not this\n\n  B=2\nLABEL c=d\n",
    "Dockerfile",
  );
  const [env, label] = stages[0]?.steps ?? [];
  assert.deepEqual(env?.kind === "ENV" && env.pairs, [
    { name: "A", value: "1" },
    { name: "B", value: "2" },
  ]);
  assert.equal(label?.place.line, 6);
});

test("a backtick is the escape where the file says so", () => {
  const { escape, stages } = parseDockerfile(
    "# escape=`\nFROM scratch\nCOPY a `\n  C:\\b\n",
    "Dockerfile",
  );
  assert.equal(escape, "`");
  const [copy] = stages[0]?.steps ?? [];
  assert.equal(copy?.kind === "COPY" && copy.target, "C:\\b");
});

test("heredocs belong to their instruction, in order", () => {
  const { stages } = parseDockerfile(
    "FROM scratch\nCOPY <<one <<-'two' /d/\na\none\n\tb\n\ttwo\nUSER x\n",
    "Dockerfile",
  );
  const [copy, user] = stages[0]?.steps ?? [];
  assert.deepEqual(copy?.kind === "COPY" && copy.heredocs, [
    { name: "one", isExpanded: true, stripsTabs: false, content: "a\n" },
    { name: "two", isExpanded: false, stripsTabs: true, content: "\tb\n" },
  ]);
  assert.equal(user?.kind, "USER");
});
