import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Call } from "../../src/serving/calls/index.ts";
import { apiKey } from "./ask-server.ts";
import { BODY_FILE, isInFile, LANGUAGES, snippetOf, type Language } from "./call/snippets.ts";
import { CopyButton } from "./parts/copy-button.tsx";
import { Tabs } from "./parts/tabs.tsx";
import { useWords } from "./words.ts";

const NAMES = { curl: "curl", python: "Python", typescript: "TypeScript", grpcurl: "grpcurl" };

/** The call of the form as code. */
export function CodeCard({
  call,
  grpcPort,
}: {
  readonly call: Call | undefined;
  readonly grpcPort: number | undefined;
}): JSX.Element {
  const words = useWords();
  const [language, setLanguage] = useState<Language>("curl");
  const { origin, hostname, protocol } = location;
  const place = {
    origin,
    hostname,
    isSecure: protocol === "https:",
    grpcPort,
    wantsKey: apiKey() !== "",
  };
  const code = call === undefined ? undefined : snippetOf(language, call, place);
  return (
    <section class="card" aria-labelledby="code">
      <div class="card-head">
        <h2 id="code">{words.sameCall}</h2>
        {code !== undefined && <CopyButton text={code} about={NAMES[language]} />}
      </div>
      <Tabs
        label={words.sameCall}
        tabs={LANGUAGES.map((name) => [name, NAMES[name]] as const)}
        value={language}
        choose={setLanguage}
      >
        {code === undefined ? (
          <p class="quiet">{call === undefined ? words.noCall : words.noCode}</p>
        ) : (
          <pre class="code" tabIndex={0}>
            <code>{code}</code>
          </pre>
        )}
        {call !== undefined && code !== undefined && isInFile(call) && (
          <p class="quiet">
            {words.inFile} {typeof call.body === "string" && <Download text={call.body} />}
          </p>
        )}
      </Tabs>
    </section>
  );
}

function Download({ text }: { readonly text: string }): JSX.Element {
  const words = useWords();
  const save = (): void => {
    const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = BODY_FILE;
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <button type="button" class="small" onClick={save}>
      {words.download}
    </button>
  );
}
