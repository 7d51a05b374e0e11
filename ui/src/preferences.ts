import { useEffect, useState } from "preact/hooks";
import { DICTIONARIES, type LanguageName } from "./words.ts";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

interface Choice<T> {
  readonly value: T;
  readonly choose: (value: T) => void;
}

/** The language: as chosen here before, else as the browser prefers. */
export function useLanguage(): Choice<LanguageName> {
  const [value, setValue] = useState<LanguageName>(() => {
    const kept = localStorage.getItem("slipway-language") ?? navigator.language.slice(0, 2);
    return kept in DICTIONARIES && kept === "zh" ? "zh" : "en";
  });
  useEffect(() => {
    document.documentElement.lang = value === "zh" ? "zh-CN" : "en";
  }, [value]);
  return { value, choose: keeping("slipway-language", (chosen: LanguageName) => setValue(chosen)) };
}

/** The colours: those of the system unless others were chosen. */
export function useTheme(): Choice<Theme> {
  const [value, setValue] = useState<Theme>(
    () => THEMES.find((theme) => theme === localStorage.getItem("slipway-theme")) ?? "auto",
  );
  useEffect(() => {
    document.documentElement.dataset["theme"] = value;
  }, [value]);
  return { value, choose: keeping("slipway-theme", (chosen: Theme) => setValue(chosen)) };
}

function keeping<T extends string>(key: string, set: (value: T) => void): (value: T) => void {
  return (value) => {
    localStorage.setItem(key, value);
    set(value);
  };
}
