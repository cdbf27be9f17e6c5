// Helpers that write a filter from an example: select parts of a line, and grok, dissect or date is built from them.

import { useEffect, useRef, useState } from 'react';
import { useWords } from '../i18n/words';
import { Button } from '../kit/button';
import type * as pipelines from './api';
import * as api from './api';
import { lineOf } from './events';
import styles from './page.module.css';
import { text as shownText } from './preview';
import { dateFormat, dissectOf, type Selection, unquoted } from './recipes';
import { words } from './words';

type Kind = 'grok' | 'dissect' | 'date';

interface Props {
  line: string;
  setLine(s: string): void;
  records: pipelines.Sampled[];
  onInsert(text: string): void;
}

export function Helper({ line, setLine, records, onInsert }: Props) {
  const w = useWords(words);
  const [kind, setKind] = useState<Kind>('grok');
  const [selections, setSelections] = useState<Selection[]>([]);
  const box = useRef<HTMLTextAreaElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another line has other parts
  useEffect(() => setSelections([]), [line]);
  const add = () => {
    const el = box.current;
    if (!el || el.selectionStart === el.selectionEnd) return;
    const s = { from: el.selectionStart, to: el.selectionEnd };
    setSelections((l) => [...l.filter((x) => x.to <= s.from || x.from >= s.to), s].sort((a, b) => a.from - b.from));
  };
  return (
    <div className={styles.helper}>
      <div role="radiogroup" aria-label={w.helper.kind} className={styles.kinds}>
        {(['grok', 'dissect', 'date'] as const).map((k) => (
          <label key={k}>
            <input type="radio" name="helper" checked={k === kind} onChange={() => setKind(k)} />
            {k}
          </label>
        ))}
      </div>
      <label className={styles.field}>
        <span>{w.helper.line}</span>
        <textarea
          ref={box}
          rows={3}
          value={line}
          placeholder={w.helper.noLine}
          onChange={(e) => setLine(e.target.value.replace(/\n$/, ''))}
        />
      </label>
      <p className={styles.row}>
        <Button icon="plus" onClick={add}>
          {w.helper.add}
        </Button>
        {selections.length > 0 && (
          <Button kind="quiet" onClick={() => setSelections([])}>
            {w.helper.clear}
          </Button>
        )}
        <span className={styles.muted}>{w.helper.lineHelp}</span>
      </p>
      {selections.length > 0 && <Marked line={line} selections={selections} />}
      {kind === 'grok' && <Grok line={line} selections={selections} records={records} onInsert={onInsert} />}
      {kind === 'dissect' && <Dissect line={line} selections={selections} onInsert={onInsert} />}
      {kind === 'date' && <DateHelp line={line} selections={selections} onInsert={onInsert} />}
    </div>
  );
}

function Marked({ line, selections }: { line: string; selections: Selection[] }) {
  let at = 0;
  const parts = selections.map((s) => {
    const before = line.slice(at, s.from);
    at = s.to;
    return (
      <span key={s.from}>
        {before}
        <mark>{line.slice(s.from, s.to)}</mark>
      </span>
    );
  });
  return (
    <p className={styles.marked}>
      {parts}
      {line.slice(at)}
    </p>
  );
}

interface PartProps {
  line: string;
  selections: Selection[];
  onInsert(text: string): void;
}

function Grok({ line, selections, records, onInsert }: PartProps & { records: pipelines.Sampled[] }) {
  const w = useWords(words);
  const [pattern, setPattern] = useState('');
  const [tried, setTried] = useState<pipelines.Tried[]>([]);
  const [failure, setFailure] = useState('');
  const key = JSON.stringify(selections);
  // biome-ignore lint/correctness/useExhaustiveDependencies: key stands for selections
  useEffect(() => {
    if (line === '') return;
    let gone = false;
    api.proposeGrok([line], selections).then(
      (p) => !gone && setPattern(p),
      (e: Error) => !gone && setFailure(e.message),
    );
    return () => {
      gone = true;
    };
  }, [line, key]);
  useEffect(() => {
    if (pattern === '' || line === '') return setTried([]);
    const gone = new AbortController();
    const timer = setTimeout(() => {
      const lines = [line, ...records.map((r) => lineOf(r.value))].slice(0, 200);
      api.tryGrok(pattern, lines, gone.signal).then(
        (t) => {
          setTried(t);
          setFailure('');
        },
        (e: Error) => e.name !== 'AbortError' && setFailure(e.message),
      );
    }, 200);
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [pattern, line, records]);
  const others = tried.slice(1);
  return (
    <>
      <label className={styles.field}>
        <span>{w.helper.pattern}</span>
        <textarea rows={3} value={pattern} spellCheck={false} onChange={(e) => setPattern(e.target.value)} />
      </label>
      {failure && (
        <p className={styles.trouble} role="alert">
          {failure}
        </p>
      )}
      {tried[0] && !failure && <Outcome t={tried[0]} pattern={pattern} />}
      <p className={styles.row}>
        <Button
          kind="accent"
          disabled={pattern === '' || failure !== ''}
          onClick={() => onInsert(`grok {\n  match => { "message" => "${unquoted(pattern)}" }\n}\n`)}
        >
          {w.helper.insert}
        </Button>
        {others.length > 0 && (
          <span className={styles.muted}>{w.helper.tried(others.filter((t) => t.matched).length, others.length)}</span>
        )}
      </p>
    </>
  );
}

/** The captures, or how far the pattern came and what it wanted there. */
function Outcome({ t, pattern }: { t: pipelines.Tried; pattern: string }) {
  const w = useWords(words);
  if (t.matched) {
    return (
      <table className={styles.captures}>
        <tbody>
          {(t.fields ?? []).map((f, i) => (
            <tr key={i}>
              <th scope="row">{f.name}</th>
              <td>{shownText(f.value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    );
  }
  const m = t.miss;
  if (!m) return <p className={styles.bad}>{w.helper.misses}</p>;
  const bytes = new TextEncoder().encode(t.line);
  const cut = (from: number, to: number) => new TextDecoder().decode(bytes.slice(from, to));
  return (
    <div className={styles.miss}>
      <p className={styles.bad}>{w.helper.misses}</p>
      <p>
        <span>{w.helper.longest}</span>
        <code>
          <ins>{m.prefix}</ins>
          <del>{m.rest || pattern.slice(m.prefix.length)}</del>
        </code>
      </p>
      <p>
        <span>{w.helper.stops}</span>
        <code>
          {cut(0, m.from)}
          <ins>{cut(m.from, m.furthest)}</ins>
          <mark>▸</mark>
          {cut(m.furthest, bytes.length)}
        </code>
      </p>
      <p className={styles.muted}>
        {w.helper.expected(m.expected)} {m.name && `(${m.name})`}
      </p>
    </div>
  );
}

function Dissect({ line, selections, onInsert }: PartProps) {
  const w = useWords(words);
  const mapping = dissectOf(line, selections);
  return (
    <>
      <pre className={styles.pattern}>{mapping}</pre>
      <p className={styles.row}>
        <Button
          kind="accent"
          disabled={selections.length === 0}
          onClick={() => onInsert(`dissect {\n  mapping => { "message" => "${unquoted(mapping)}" }\n}\n`)}
        >
          {w.helper.insert}
        </Button>
      </p>
    </>
  );
}

function DateHelp({ line, selections, onInsert }: PartProps) {
  const w = useWords(words);
  const [field, setField] = useState('timestamp');
  const example = selections[0] ? line.slice(selections[0].from, selections[0].to) : line;
  const format = dateFormat(example);
  return (
    <>
      <label className={styles.field}>
        <span>{w.helper.dateField}</span>
        <input value={field} onChange={(e) => setField(e.target.value)} />
      </label>
      <p>
        {w.helper.dateFormat}:{' '}
        {format ? <code>{format}</code> : <span className={styles.muted}>{w.helper.dateNone}</span>}
      </p>
      <p className={styles.row}>
        <Button
          kind="accent"
          disabled={!format}
          onClick={() => onInsert(`date {\n  match => ["${field}", "${format}"]\n}\n`)}
        >
          {w.helper.insert}
        </Button>
      </p>
    </>
  );
}
