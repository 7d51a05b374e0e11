import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { apiKey } from "./ask-server.ts";
import { KeyForm } from "./key-form.tsx";
import { ModelView } from "./model-view.tsx";
import { Choices } from "./parts/choices.tsx";
import { StateDot } from "./parts/state-dot.tsx";
import { THEMES, useLanguage, useTheme } from "./preferences.ts";
import { addressOf, type ModelDocument, type ServerDocument } from "./server.ts";
import { useServer } from "./use-server.ts";
import { DICTIONARIES, useWords, WordsContext } from "./words.ts";

/** The whole page. */
export function App(): JSX.Element {
  const language = useLanguage();
  const theme = useTheme();
  const words = DICTIONARIES[language.value];
  const themeNames = { auto: words.themeAuto, light: words.themeLight, dark: words.themeDark };
  return (
    <WordsContext.Provider value={words}>
      <a class="skip" href="#main">
        {words.skip}
      </a>
      <Server>
        <Choices
          label={words.language}
          value={language.value}
          options={[
            ["en", "English"],
            ["zh", "中文"],
          ]}
          choose={(value) => language.choose(value === "zh" ? "zh" : "en")}
        />
        <Choices
          label={words.theme}
          value={theme.value}
          options={THEMES.map((name) => [name, themeNames[name]] as const)}
          choose={(value) => theme.choose(THEMES.find((name) => name === value) ?? "auto")}
        />
      </Server>
    </WordsContext.Provider>
  );
}

/** @param children - choices in the bar */
function Server({ children }: { readonly children: JSX.Element[] }): JSX.Element {
  const words = useWords();
  const { server, failure, wantsKey, retry } = useServer();
  return (
    <>
      <header class="bar">
        <span class="brand">
          <Mark />
          Slipway
        </span>
        {server !== undefined && (
          <span class="bar-about">{`${server.contract} · ${server.version}`}</span>
        )}
        <span class="bar-choices">{children}</span>
      </header>
      {failure !== undefined && (
        <p class="banner" role="alert">
          {words.unreachable} <code>{failure}</code>
        </p>
      )}
      {server === undefined || wantsKey ? (
        <main id="main" class="layout" tabIndex={-1}>
          {wantsKey && <KeyForm key={apiKey()} retry={retry} />}
          {!wantsKey && failure === undefined && <p class="quiet">{words.loading}</p>}
        </main>
      ) : (
        <Models server={server} />
      )}
      <footer>
        <a href="/openapi.json">OpenAPI</a>
        <a href="/metrics">/metrics</a>
        <a href="/v2">/v2</a>
      </footer>
    </>
  );
}

/** The list of models, where there are several, and the one that is looked at. */
function Models({ server }: { readonly server: ServerDocument }): JSX.Element {
  const { models } = server;
  const [first] = models;
  const model = useChosen(models);
  const isList = models.length > 1;
  return (
    <div class={isList ? "layout layout-many" : "layout"}>
      {isList && <ModelList models={models} chosen={model} />}
      <main id="main" tabIndex={-1}>
        {model === undefined ? (
          <NoModels />
        ) : (
          <ModelView
            key={addressOf(model)}
            model={model}
            server={server}
            isFirst={model.name === first?.name}
          />
        )}
      </main>
    </div>
  );
}

function Mark(): JSX.Element {
  return (
    <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" class="mark">
      <rect width="32" height="32" rx="8" />
      <path d="M7 19h18l-3.2 5H10.2zM15 7v10H8.5zM17 10l6 7h-6z" />
    </svg>
  );
}

function NoModels(): JSX.Element {
  const words = useWords();
  return (
    <section class="card empty">
      <h1>{words.noModels}</h1>
      <p>{words.noModelsHint}</p>
    </section>
  );
}

/** The model that the address names, else the first. */
function useChosen(models: readonly ModelDocument[]): ModelDocument | undefined {
  const [address, setAddress] = useState(location.hash);
  useEffect(() => {
    const follow = (): void => setAddress(location.hash);
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return models.find((model) => addressOf(model) === address) ?? models[0];
}

function ModelList({
  models,
  chosen,
}: {
  readonly models: readonly ModelDocument[];
  readonly chosen: ModelDocument | undefined;
}): JSX.Element {
  const words = useWords();
  return (
    <nav aria-label={words.models}>
      <h2>{words.models}</h2>
      <ul>
        {models.map((model) => (
          <li key={addressOf(model)}>
            <a href={addressOf(model)} aria-current={model === chosen ? "page" : undefined}>
              <StateDot model={model} />
              <span class="nav-name">{model.name}</span>
              <span class="nav-kind">
                {[model.kind, model.version].filter(Boolean).join(" · ")}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
