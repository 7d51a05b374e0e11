import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { isToolError } from "../../ground/errors/index.ts";
import { compilePatterns } from "./ignore/path-patterns.ts";
import { ignoreLines } from "./ignore/ignore-file.ts";
import { expandWord } from "./syntax/expand-words.ts";
import { parseFileMode } from "./syntax/file-mode.ts";
import { parseDockerfile } from "./syntax/parse-dockerfile.ts";
import { parseShellPattern, removePrefix, removeSuffix } from "./syntax/shell-pattern.ts";

const KEYWORDS =
  "FROM ARG ENV LABEL COPY ADD RUN CMD ENTRYPOINT HEALTHCHECK MAINTAINER WORKDIR USER STOPSIGNAL EXPOSE VOLUME SHELL ONBUILD".split(
    " ",
  );
const PIECES =
  'scratch AS x --from= --chown=1:2 <<EOF <<-"E" EOF $a ${a:-b} ${a##*} ${ " \' \\ ` [ ] ["a","b"] = a=b # \n \\\n \t \r\n ** ! 80/tcp'.split(
    " ",
  );

const line = fc
  .tuple(fc.constantFrom(...KEYWORDS), fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string())))
  .map(([keyword, words]) => `${keyword} ${words.join(" ")}`);

test("any text is read or refused with a place", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(line, fc.string()), { maxLength: 20 }), (lines) => {
      try {
        parseDockerfile(["FROM scratch", ...lines].join("\n"), "D");
      } catch (error) {
        assert.ok(isToolError(error), String(error));
        assert.match(error.message, /^build D:\d+:\d+: /);
      }
    }),
    { numRuns: 2000 },
  );
});

test("a Dockerfile of the table with a piece cut out, doubled or put in is read or refused with a place", () => {
  const cases = JSON.parse(
    readFileSync(new URL("../../../test/fixtures/dockerfiles/cases.json", import.meta.url), "utf8"),
  ) as readonly { readonly files: Readonly<Record<string, unknown>> }[];
  const texts = cases.flatMap(({ files }) => {
    const text = files["context/Dockerfile"];
    return typeof text === "string" ? [text] : [];
  });
  assert.ok(texts.length > 200);
  fc.assert(
    fc.property(
      fc.constantFrom(...texts),
      fc.nat(),
      fc.nat(30),
      fc.oneof(fc.constantFrom(...PIECES), fc.string()),
      (text, seed, length, piece) => {
        const at = seed % (text.length + 1);
        const mutated = text.slice(0, at) + piece + text.slice(at + length);
        try {
          parseDockerfile(mutated, "D");
        } catch (error) {
          assert.ok(isToolError(error), String(error));
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test("a word is expanded or refused with a reason", () => {
  const word = fc.array(fc.oneof(fc.constantFrom(...PIECES, "${a#?}", "${a/b/c}"), fc.string()));
  fc.assert(
    fc.property(word, (parts) => {
      try {
        expandWord(parts.join(""), new Map([["a", "value"]]));
      } catch (error) {
        assert.ok(error instanceof Error && error.message.length > 0);
      }
    }),
  );
});

test("a pattern without wildcards takes away exactly itself", () => {
  const plain = fc.string().filter((text) => !/[*?\\]/.test(text));
  fc.assert(
    fc.property(plain, plain, (one, other) => {
      assert.equal(removePrefix(one + other, parseShellPattern(one), false), other);
      assert.equal(removeSuffix(one + other, parseShellPattern(other), true), one);
    }),
  );
});

test("patterns full of stars are decided quickly", () => {
  const startedAt = performance.now();
  const text = "a".repeat(5000);
  assert.equal(removePrefix(text, parseShellPattern(`${"*a".repeat(30)}b`), true), text);
  assert.equal(compilePatterns([`${"*a".repeat(30)}b`]).matches("a".repeat(250)).isMatch, false);
  assert.ok(performance.now() - startedAt < 5000);
});

test("octal modes come back as they are, and symbolic ones set what they name", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 0o7777 }),
      fc.integer({ min: 0, max: 0o7777 }),
      (mode, before) => {
        assert.equal(parseFileMode(mode.toString(8).padStart(3, "0")).change(before, false), mode);
        assert.equal(parseFileMode("a=").change(before, false) & 0o777, 0);
        assert.equal(parseFileMode("u+w").change(before, false), before | 0o200);
      },
    ),
  );
});

test("ignore files of any text give patterns or a reason", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (text, path) => {
      try {
        compilePatterns(ignoreLines(text)).matches(path);
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    }),
  );
});
