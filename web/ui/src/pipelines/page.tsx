// Pipelines: the text of each at the left, what it does to real events at the right.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from 'react';
import { useLocation, useSearch } from 'wouter';
import { ApiError } from '../api';
import { duration, useT } from '../i18n';
import { useWords } from '../i18n/words';
import { Button } from '../kit/button';
import { Icon } from '../kit/icon';
import { usePrefs } from '../prefs';
import * as api from './api';
import { Compare } from './compare';
import type { Figure } from './editor';
import { Events } from './events';
import { Helper } from './helper';
import { History } from './history';
import styles from './page.module.css';
import { usePreview } from './preview';
import { words } from './words';

const ConfEditor = lazy(() => import('./editor'));

const tabs = ['events', 'compare', 'history', 'helper'] as const;
type Tab = (typeof tabs)[number];

export default function PipelinesPage() {
  const w = useWords(words);
  const search = useSearch();
  const [, navigate] = useLocation();
  const q = useQuery({
    queryKey: ['pipelines'],
    queryFn: ({ signal }) => api.list(signal),
    refetchInterval: 5000,
    retry: false,
  });
  const list = q.data ?? [];
  const wanted = new URLSearchParams(search).get('id');
  const chosen = list.find((p) => p.id === wanted) ?? list[0];
  return (
    <main className={styles.page} id="log" tabIndex={-1}>
      <header className={styles.head}>
        <h1>{w.title}</h1>
        <nav className={styles.list} aria-label={w.title}>
          {list.map((p) => (
            <button
              key={p.id}
              type="button"
              aria-current={p === chosen ? 'page' : undefined}
              onClick={() => navigate(`/pipelines?id=${encodeURIComponent(p.id)}`)}
            >
              <i className={styles.state} data-state={p.state} />
              {p.id}
            </button>
          ))}
        </nav>
        {chosen && <About p={chosen} />}
      </header>
      {q.error && (
        <p className={styles.trouble} role="alert">
          {q.error instanceof ApiError && q.error.status === 404 ? w.none : `${w.failed}: ${q.error.message}`}
        </p>
      )}
      {q.data && list.length === 0 && (
        <div className={styles.none}>
          <h2>{w.none}</h2>
          <p>{w.noneHelp}</p>
        </div>
      )}
      {chosen && <Workbench key={chosen.id} id={chosen.id} running={chosen} />}
    </main>
  );
}

function About({ p }: { p: api.Pipeline }) {
  const w = useWords(words);
  return (
    <p className={styles.about}>
      <span>{w.states[p.state] ?? p.state}</span>
      <span>{w.version(p.version)}</span>
      <span>{w.workers(p.settings.workers)}</span>
      <span>
        {(p.topics?.length ? p.topics : (p.inputs ?? [])).join(', ')} → {(p.outputs ?? []).join(', ')}
      </span>
      {p.error && <span className={styles.bad}>{p.error}</span>}
    </p>
  );
}

function Workbench({ id, running }: { id: string; running: api.Pipeline }) {
  const texts = useQuery({
    queryKey: ['pipeline', id, running.hash],
    queryFn: ({ signal }) => api.show(id, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const [base, setBase] = useState<api.Texts | null>(null);
  const loaded = texts.data;
  // What runs is followed as long as nothing is edited: then the base stays, and applying tells of the conflict.
  const [files, setFiles] = useState<api.Source[] | null>(null);
  const edited = useMemo(() => base !== null && files !== null && !same(base.files, files), [base, files]);
  useEffect(() => {
    if (!loaded || edited) return;
    setBase(loaded);
    setFiles(loaded.files);
  }, [loaded, edited]);
  if (!base || !files) return null;
  return (
    <Bench
      base={base}
      files={files}
      edited={edited}
      newer={edited && loaded !== undefined && loaded.hash !== base.hash}
      setFiles={setFiles}
      onApplied={(hash) => setBase({ ...base, files, hash })}
      onTheirs={() => {
        if (!loaded) return;
        setBase(loaded);
        setFiles(loaded.files);
      }}
    />
  );
}

function same(a: api.Source[], b: api.Source[]): boolean {
  return a.length === b.length && a.every((f, i) => f.text === b[i].text);
}

/** A file's name without its folder, as places of problems and steps give it. */
export function shortName(path: string): string {
  return path.split(/[\\/]/).pop() ?? path;
}

interface BenchProps {
  base: api.Texts;
  files: api.Source[];
  edited: boolean;
  newer: boolean;
  setFiles(f: api.Source[]): void;
  /** The edited texts run now. */
  onApplied(hash: string): void;
  onTheirs(): void;
}

function Bench({ base, files, edited, newer, setFiles, onApplied, onTheirs }: BenchProps) {
  const w = useWords(words);
  const client = useQueryClient();
  const [file, setFile] = useState(0);
  const [tab, setTab] = useState<Tab>('events');
  const [go, setGo] = useState<{ line: number; serial: number } | null>(null);
  const [insert, setInsert] = useState<{ text: string; serial: number } | null>(null);
  const [line, setLine] = useState('');
  const catalog = useQuery({
    queryKey: ['plugins'],
    queryFn: ({ signal }) => api.catalog(signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const p = usePreview(base.id, files, base.topics ?? []);
  const at = Math.min(file, files.length - 1);
  const name = shortName(files[at].name);
  const problems = useMemo(
    () => p.problems.filter((x) => shortName(x.file) === name || files.length === 1),
    [p.problems, name, files.length],
  );
  const figures = useFigures(p.shown?.after ?? p.shown?.before ?? null, name);
  const visit = useCallback(
    (place: string) => {
      const m = /^(.*):(\d+)(?::\d+)?$/.exec(place);
      if (!m) return;
      const i = files.findIndex((f) => shortName(f.name) === shortName(m[1]));
      if (i >= 0) setFile(i);
      setGo({ line: Number(m[2]), serial: Date.now() });
    },
    [files],
  );
  const change = (text: string) => setFiles(files.map((f, i) => (i === at ? { ...f, text } : f)));
  const applying = useApply(base, files, (hash) => {
    onApplied(hash);
    void client.invalidateQueries({ queryKey: ['pipelines'] });
  });
  const faults = p.problems.filter((x) => x.severity === 'error').length;
  return (
    <div className={styles.bench}>
      <section className={styles.left} aria-label={w.editor}>
        <div className={styles.bar}>
          {files.length > 1 ? (
            <select aria-label={w.file} value={at} onChange={(e) => setFile(Number(e.target.value))}>
              {files.map((f, i) => (
                <option key={f.name} value={i}>
                  {shortName(f.name)}
                </option>
              ))}
            </select>
          ) : (
            <span className={styles.file} title={files[at].name}>
              {name}
            </span>
          )}
          {edited && <span className={styles.edited}>{w.changed}</span>}
          <span className={styles.grow} />
          <Button kind="quiet" onClick={() => void api.format(files[at].text).then(change, () => undefined)}>
            {w.format}
          </Button>
          {edited && (
            <Button kind="quiet" onClick={() => setFiles(base.files)}>
              {w.discard}
            </Button>
          )}
          {edited && base.writable && (
            <input
              className={styles.note}
              aria-label={w.note}
              placeholder={w.note}
              value={applying.note}
              onChange={(e) => applying.setNote(e.target.value)}
            />
          )}
          <Button
            kind="accent"
            icon="bolt"
            disabled={!edited || !base.writable || faults > 0 || applying.busy}
            title={base.writable ? undefined : w.readOnly}
            onClick={applying.run}
          >
            {w.apply}
          </Button>
        </div>
        {!base.writable && <p className={styles.remark}>{w.readOnly}</p>}
        {(newer || applying.conflict) && (
          <p className={styles.trouble} role="alert">
            {w.conflict} <Button onClick={onTheirs}>{w.reload}</Button>
          </p>
        )}
        {applying.message && (
          <p className={applying.bad ? styles.trouble : styles.done} role="status">
            {applying.message}
          </p>
        )}
        <Suspense fallback={<div className={styles.code} />}>
          <ConfEditor
            key={files[at].name}
            text={files[at].text}
            label={w.editor}
            readOnly={false}
            problems={problems}
            figures={figures}
            catalog={catalog.data ?? null}
            go={go}
            insert={insert}
            onChange={change}
            onApply={() => edited && base.writable && faults === 0 && applying.run()}
          />
        </Suspense>
        <Problems list={p.problems} onVisit={visit} />
      </section>
      <section className={styles.right}>
        <div role="tablist" className={styles.tabs}>
          {tabs.map((t) => (
            <button key={t} type="button" role="tab" aria-selected={t === tab} onClick={() => setTab(t)}>
              {w.tabs[t]}
              {t === 'compare' && edited && p.changed > 0 && <b>{p.changed}</b>}
            </button>
          ))}
          {p.busy && <i className={styles.busy} />}
        </div>
        {tab === 'events' && (
          <Events
            p={p}
            topics={base.topics ?? []}
            onVisit={visit}
            onLine={(text) => {
              setLine(text);
              setTab('helper');
            }}
          />
        )}
        {tab === 'compare' && <Compare p={p} edited={edited} />}
        {tab === 'history' && (
          <History
            id={base.id}
            writable={base.writable}
            onOpen={setFiles}
            onRolled={() => void client.invalidateQueries({ queryKey: ['pipelines'] })}
          />
        )}
        {tab === 'helper' && (
          <Helper
            line={line}
            setLine={setLine}
            records={p.shown?.records ?? []}
            onInsert={(text) => setInsert({ text, serial: Date.now() })}
          />
        )}
      </section>
    </div>
  );
}

/** What each filter costs, and how many of the events failed in it, at the end of its line. */
function useFigures(traced: api.Traced[] | null, name: string): Figure[] {
  const t = useT();
  const { lang } = usePrefs();
  return useMemo(() => {
    const at = new Map<number, { micros: number; n: number; failed: number; dropped: number }>();
    for (const event of traced ?? []) {
      for (const s of event.steps ?? []) {
        const m = /^(.*):(\d+)/.exec(s.place);
        if (!m || shortName(m[1]) !== name) continue;
        const f = at.get(Number(m[2])) ?? { micros: 0, n: 0, failed: 0, dropped: 0 };
        f.micros += s.micros;
        f.n++;
        if (s.tags?.length) f.failed++;
        if (s.dropped) f.dropped++;
        at.set(Number(m[2]), f);
      }
    }
    return [...at].map(([line, f]) => ({
      line,
      text: [
        duration(f.micros / f.n / 1000, lang),
        `×${f.n}`,
        f.failed > 0 && `${t.flow.failures} ${f.failed}`,
        f.dropped > 0 && `${t.flow.dropped} ${f.dropped}`,
      ]
        .filter(Boolean)
        .join(' · '),
      bad: f.failed > 0,
    }));
  }, [traced, name, lang, t]);
}

function useApply(base: api.Texts, files: api.Source[], done: (hash: string) => void) {
  const w = useWords(words);
  const [note, setNote] = useState('');
  const [busy, setBusy] = useState(false);
  const [conflict, setConflict] = useState(false);
  const [result, setResult] = useState({ message: '', bad: false });
  const run = async () => {
    setBusy(true);
    setConflict(false);
    try {
      const a = await api.apply(base.id, files, base.hash, note);
      setResult({ message: w.applied(a.version, a.how), bad: false });
      setNote('');
      done(a.hash);
    } catch (e) {
      if (e instanceof ApiError && e.status === 409) setConflict(true);
      else setResult({ message: (e as Error).message, bad: true });
    } finally {
      setBusy(false);
    }
  };
  return { note, setNote, busy, conflict, run: () => void run(), ...result };
}

function Problems({ list, onVisit }: { list: api.Problem[]; onVisit(place: string): void }) {
  const w = useWords(words);
  const errors = list.filter((p) => p.severity === 'error').length;
  return (
    <div className={styles.problems}>
      <p className={errors > 0 ? styles.bad : styles.fine}>
        <Icon name={errors > 0 ? 'warning' : 'check'} size={12} />
        {list.length === 0 ? w.fine : w.problems(errors, list.length - errors)}
      </p>
      {list.length > 0 && (
        <ul>
          {list.slice(0, 50).map((p, i) => (
            <li key={i}>
              <button type="button" data-severity={p.severity} onClick={() => onVisit(`${p.file}:${p.line}`)}>
                <span>
                  {p.line}:{p.column}
                </span>
                {p.message}
                {p.hint && <em>{p.hint}</em>}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
