// Words of one page, loaded with it: both languages in one object, with equal keys (test/i18n.test.ts checks every words.ts).

import { type Lang, usePrefs } from '../prefs';

export type Words<T> = Record<Lang, T>;

export function useWords<T>(words: Words<T>): T {
  return words[usePrefs().lang];
}
