// The query: a plain text area, so that input methods, undo and spell checkers work as everywhere, over a layer that shows the
// same text coloured by the server's own parser. Typing never waits: an answer for an older text is dropped.

import { type KeyboardEvent, type Ref, useEffect, useId, useImperativeHandle, useRef, useState } from 'react';
import * as api from '../api';
import { useT } from '../i18n';
import { composing } from '../ime';
import { usePrefs } from '../prefs';
import { cx } from './cx';
import { Icon } from './icon';
import layer from './layer.module.css';
import styles from './querybar.module.css';

/** Milliseconds without a key before the server is asked. */
const pause = 60;

interface Props {
  /** The text that was last run. */
  text: string;
  lang: 'kql' | 'lucene';
  index: string;
  onRun(text: string): void;
  ref?: Ref<QueryBarHandle>;
}

export interface QueryBarHandle {
  focus(): void;
  run(): void;
}

interface Answer extends api.KqlAnswer {
  text: string;
}

const nothing: Answer = {
  text: '',
  tokens: [],
  hints: [],
  error: null,
  dsl: null,
  complete: { from: 0, to: 0, kinds: [], items: [] },
};

function useAnswer(text: string, cursor: number, index: string, lang: string, active: boolean): Answer {
  const [answer, setAnswer] = useState(nothing);
  useEffect(() => {
    if (lang !== 'kql' || (text === '' && !active)) {
      setAnswer({ ...nothing, text });
      return;
    }
    const abort = new AbortController();
    const timer = setTimeout(() => {
      api
        .kql(text, cursor, index, abort.signal)
        .then((a) => setAnswer({ ...nothing, ...a, tokens: a.tokens ?? [], hints: a.hints ?? [], text }))
        .catch(() => undefined); // without an answer the text is plain, and the search itself tells what is wrong
    }, pause);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text, cursor, index, lang, active]);
  return answer;
}

export function QueryBar({ text, lang, index, onRun, ref }: Props) {
  const t = useT();
  const { history } = usePrefs();
  const area = useRef<HTMLTextAreaElement>(null);
  const [draft, setDraft] = useState(text);
  const [cursor, setCursor] = useState(text.length);
  const [focused, setFocused] = useState(false);
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const listId = useId();
  const answer = useAnswer(draft, cursor, index, lang, focused);

  useEffect(() => setDraft(text), [text]);
  useImperativeHandle(ref, () => ({
    focus: () => {
      area.current?.focus();
      area.current?.select();
    },
    run: () => onRun(draft),
  }));

  const current = answer.text === draft;
  // A text that only ends too early is not wrong while it is being typed.
  const wrong = current && answer.error !== null && !(focused && answer.error.at >= draft.trimEnd().length);
  const recent = draft === '' ? history.slice(0, 8).map((h) => ({ text: h, kind: 'recent' as const, detail: '' })) : [];
  const items: { text: string; kind: string; detail?: string }[] =
    recent.length > 0 ? recent : current && lang === 'kql' ? (answer.complete?.items ?? []) : [];
  const shown = open && focused && items.length > 0;

  const run = (value = draft) => {
    setOpen(false);
    setChosen(-1);
    onRun(value);
  };
  const accept = (item: { text: string; kind: string }) => {
    setChosen(-1);
    if (item.kind === 'recent') {
      setDraft(item.text);
      run(item.text);
      return;
    }
    const { from, to } = answer.complete;
    const next = draft.slice(0, from) + item.text + draft.slice(to);
    setDraft(next);
    const at = from + item.text.length;
    setCursor(at);
    requestAnimationFrame(() => area.current?.setSelectionRange(at, at));
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (composing(e)) return;
    if (shown && (e.key === 'ArrowDown' || e.key === 'ArrowUp')) {
      e.preventDefault();
      const step = e.key === 'ArrowDown' ? 1 : -1;
      setChosen((c) => (c + step < -1 ? items.length - 1 : c + step >= items.length ? -1 : c + step));
    } else if (shown && chosen >= 0 && (e.key === 'Enter' || e.key === 'Tab')) {
      e.preventDefault();
      accept(items[chosen]);
    } else if (shown && e.key === 'Tab' && !e.shiftKey) {
      e.preventDefault();
      accept(items[0]);
    } else if (e.key === 'Enter' && !e.shiftKey) {
      e.preventDefault();
      run();
    } else if (e.key === 'Escape') {
      e.preventDefault();
      if (shown) setOpen(false);
      else area.current?.blur();
    } else if (e.key === 'ArrowDown' && !open) setOpen(true);
  };
  const moved = () => setCursor(area.current?.selectionStart ?? draft.length);

  return (
    <div className={styles.bar} data-error={wrong || undefined}>
      <Icon name="search" size={14} />
      <div className={styles.text}>
        <Overlay text={draft} answer={current ? answer : null} wrong={wrong} />
        <textarea
          ref={area}
          rows={1}
          value={draft}
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          autoCorrect="off"
          aria-label={t.query.label}
          placeholder={lang === 'kql' ? t.query.placeholder : t.query.placeholderLucene}
          aria-haspopup="listbox"
          aria-controls={shown ? listId : undefined}
          aria-autocomplete="list"
          aria-activedescendant={shown && chosen >= 0 ? `${listId}-${chosen}` : undefined}
          className={styles.area}
          onChange={(e) => {
            setDraft(e.target.value);
            setCursor(e.target.selectionStart);
            setOpen(true);
            setChosen(-1);
          }}
          onKeyDown={onKeyDown}
          onKeyUp={moved}
          onClick={() => {
            moved();
            setOpen(true);
          }}
          onFocus={() => setFocused(true)}
          onBlur={() => {
            setFocused(false);
            setOpen(false);
          }}
        />
      </div>
      {draft !== '' && (
        <button
          type="button"
          className={styles.clear}
          aria-label={t.query.clear}
          onClick={() => {
            setDraft('');
            run('');
            area.current?.focus();
          }}
        >
          <Icon name="close" size={13} />
        </button>
      )}
      {shown && (
        <div id={listId} role="listbox" aria-label={t.query.suggestions} className={cx(layer.menu, styles.list)}>
          {recent.length > 0 && <div className={layer.label}>{t.query.history}</div>}
          {items.map((item, i) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the keys go to the text area
            <div
              key={`${item.kind} ${item.text}`}
              id={`${listId}-${i}`}
              role="option"
              aria-selected={i === chosen}
              data-highlighted={i === chosen || undefined}
              className={layer.item}
              onMouseDown={(e) => e.preventDefault()}
              onClick={() => accept(item)}
            >
              <i className={styles.kind} data-kind={item.kind} />
              <span className={styles.item}>{item.text}</span>
              {item.detail && <span className={styles.detail}>{item.detail}</span>}
            </div>
          ))}
        </div>
      )}
    </div>
  );
}

/** The text again, in colours, under the text area; the place of an error is underlined. */
function Overlay({ text, answer, wrong }: { text: string; answer: Answer | null; wrong: boolean }) {
  const tokens = answer?.tokens ?? [];
  const bad = wrong && answer?.error ? Math.min(answer.error.at, text.length) : -1;
  const parts: { text: string; kind?: string }[] = [];
  let at = 0;
  for (const k of tokens) {
    if (k.from < at || k.to > text.length) continue;
    if (k.from > at) parts.push({ text: text.slice(at, k.from) });
    parts.push({ text: text.slice(k.from, k.to), kind: k.kind });
    at = k.to;
  }
  parts.push({ text: text.slice(at) });
  return (
    <pre className={styles.overlay} aria-hidden="true">
      {parts.map((p, i) => (
        <span key={i} data-kind={p.kind}>
          {p.text}
        </span>
      ))}
      {bad >= 0 && (
        <span className={styles.bad}>
          <span>{text.slice(0, bad)}</span>
          <u>{text.slice(bad, bad + 1) || ' '}</u>
        </span>
      )}
    </pre>
  );
}
