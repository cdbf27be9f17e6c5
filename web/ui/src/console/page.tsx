// Console: requests to the store as a person types them, and their answers.

import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useMemo, useState } from 'react';
import * as api from '../api';
import { useWords } from '../i18n/words';
import { Button, IconButton } from '../kit/button';
import styles from './page.module.css';
import { pretty, type Request, removes, requestAt } from './requests';
import { words } from './words';

const RequestEditor = lazy(() => import('./editor'));

interface Answer {
  status: number;
  content_type: string;
  body: string;
  cut?: boolean;
  took_ms: number;
}

const first = `GET _cat/indices?v

GET logs-*/_search
{
  "size": 1,
  "query": { "match": { "log.level": "ERROR" } }
}

GET logs-*/_search
{
  "size": 0,
  "aggs": { "levels": { "terms": { "field": "log.level" } } }
}
`;

const kept = 'weir.console';
const keptSent = 'weir.console.sent';
/** Requests remembered, and bytes of each. */
const most = 50;
const longest = 20_000;

function load<T>(key: string, otherwise: T): T {
  try {
    return (JSON.parse(localStorage.getItem(key) ?? 'null') as T | null) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function save(key: string, value: unknown) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // a full or forbidden storage keeps nothing
  }
}

export default function ConsolePage() {
  const w = useWords(words);
  const [text, setText] = useState(() => load(kept, first));
  const [line, setLine] = useState(0);
  const [sent, setSent] = useState<string[]>(() => load<string[]>(keptSent, []));
  const [answer, setAnswer] = useState<(Answer & { of: Request }) | null>(null);
  const [trouble, setTrouble] = useState('');
  const [busy, setBusy] = useState(false);
  const indices = useQuery({ queryKey: ['console-indices'], queryFn: names, staleTime: 30_000 });
  const run = async () => {
    const r = requestAt(text, line);
    setTrouble(r ? '' : w.noRequest);
    if (!r || busy || (removes(r) && !window.confirm(w.ask(`${r.method} ${r.path}`)))) return;
    setBusy(true);
    try {
      const a = await api.send<Answer>('POST', 'weir/console', { method: r.method, path: r.path, body: r.body });
      setAnswer({ ...a, of: r });
      const whole = `${r.method} ${r.path}\n${r.body}`.slice(0, longest);
      const list = [whole, ...sent.filter((s) => s !== whole)].slice(0, most);
      setSent(list);
      save(keptSent, list);
    } catch (e) {
      setTrouble((e as Error).message);
    } finally {
      setBusy(false);
    }
  };
  const shown = useMemo(() => (answer ? pretty(answer.body) : ''), [answer]);
  return (
    <main className={styles.page} id="log" tabIndex={-1}>
      <section className={styles.half} aria-label={w.editor}>
        <header className={styles.bar}>
          <h1>{w.title}</h1>
          <span className={styles.grow} />
          {sent.length > 0 && (
            <>
              <select
                className={styles.sent}
                aria-label={w.history}
                value=""
                onChange={(e) => {
                  const next = `${text.replace(/\s+$/, '')}\n\n${sent[Number(e.target.value)]}`;
                  setText(next);
                  save(kept, next);
                }}
              >
                <option value="">{w.history}</option>
                {sent.map((s, i) => (
                  <option key={s} value={i}>
                    {s.split('\n')[0]}
                  </option>
                ))}
              </select>
              <IconButton
                icon="trash"
                size={14}
                label={w.clear}
                onClick={() => {
                  setSent([]);
                  save(keptSent, []);
                }}
              />
            </>
          )}
          <Button kind="accent" icon="play" disabled={busy} title={w.runKeys} onClick={() => void run()}>
            {w.run}
          </Button>
        </header>
        <Suspense fallback={<div className={styles.code} />}>
          <RequestEditor
            text={text}
            label={w.editor}
            indices={indices.data ?? []}
            onChange={(s) => {
              setText(s);
              save(kept, s);
            }}
            onLine={setLine}
            onRun={() => void run()}
          />
        </Suspense>
      </section>
      <section className={styles.half} aria-label={w.answer}>
        <div className={styles.bar} role="status">
          {answer && (
            <>
              <b data-bad={answer.status >= 400 || undefined}>{w.status(answer.status, answer.took_ms)}</b>
              <code>
                {answer.of.method} {answer.of.path}
              </code>
              {answer.cut && <span>{w.cut}</span>}
            </>
          )}
          {trouble && <span className={styles.bad}>{trouble}</span>}
        </div>
        <pre className={styles.answer} tabIndex={0}>
          {answer ? shown : <span className={styles.hint}>{w.none}</span>}
        </pre>
      </section>
    </main>
  );
}

/** The names of indices, data streams and aliases. */
async function names(): Promise<string[]> {
  const a = await api.send<Answer>('POST', 'weir/console', { method: 'GET', path: '_resolve/index/*', body: '' });
  const v = JSON.parse(a.body) as Record<string, { name: string }[] | undefined>;
  return ['data_streams', 'aliases', 'indices'].flatMap((k) => (v[k] ?? []).map((x) => x.name)).slice(0, 1000);
}
