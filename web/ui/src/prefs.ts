// What a person chose for this browser, kept in localStorage. What belongs to a question (query, range, filters) lives in
// the URL instead (url.ts).

import { useSyncExternalStore } from 'react';

export type Theme = 'dark' | 'light';
export type Lang = 'en' | 'ko';
export type Density = 'compact' | 'normal' | 'relaxed';

export interface Prefs {
  theme: Theme;
  lang: Lang;
  density: Density;
  wrap: boolean;
  /** Stack traces on the line of their event alone, without the line that names their cause. */
  fold: boolean;
  rail: boolean;
  fields: boolean;
  history: string[];
  /** Widths of a table's columns in pixels. */
  widths: Record<string, number>;
}

const key = 'weir.prefs';
const historyLimit = 30;

function initial(): Prefs {
  const light = typeof matchMedia === 'function' && matchMedia('(prefers-color-scheme: light)').matches;
  const first: Prefs = {
    theme: light ? 'light' : 'dark',
    lang: /^ko\b/i.test(navigator.language) ? 'ko' : 'en',
    density: 'compact',
    wrap: false,
    fold: false,
    rail: false,
    fields: true,
    history: [],
    widths: {},
  };
  try {
    return { ...first, ...JSON.parse(localStorage.getItem(key) ?? '{}') };
  } catch {
    return first; // a damaged or forbidden storage costs the choices, nothing else
  }
}

let current = initial();
const listeners = new Set<() => void>();

function show(p: Prefs) {
  document.documentElement.dataset.theme = p.theme;
  document.documentElement.lang = p.lang;
}
show(current);

export function prefs(): Prefs {
  return current;
}

export function setPrefs(patch: Partial<Prefs>) {
  current = { ...current, ...patch };
  show(current);
  try {
    localStorage.setItem(key, JSON.stringify(current));
  } catch {
    // Storage may be full or forbidden: the choice then holds until the page closes.
  }
  for (const l of listeners) l();
}

export function remember(query: string) {
  const q = query.trim();
  if (q === '') return;
  setPrefs({ history: [q, ...current.history.filter((h) => h !== q)].slice(0, historyLimit) });
}

export function usePrefs(): Prefs {
  return useSyncExternalStore(
    (l) => {
      listeners.add(l);
      return () => listeners.delete(l);
    },
    () => current,
  );
}
