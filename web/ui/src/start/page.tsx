// The first page of an empty folder: how lines come in, and the way of the first of them as it happens.

import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { type Flow, flow } from '../flow/api';
import { short } from '../i18n';
import { useWords } from '../i18n/words';
import { Button } from '../kit/button';
import { useCopy } from '../kit/copy';
import { Icon } from '../kit/icon';
import { usePrefs } from '../prefs';
import styles from './page.module.css';
import { words } from './words';

export default function StartPage() {
  const w = useWords(words);
  const [, navigate] = useLocation();
  const q = useQuery({
    queryKey: ['flow', 'start'],
    queryFn: ({ signal }) => flow(signal),
    refetchInterval: 1000,
    retry: false,
  });
  const docs = q.data?.stages?.store?.docs ?? 0;
  return (
    <main className={styles.page} id="log" tabIndex={-1}>
      <h1>{w.title}</h1>
      <p>{docs > 0 ? w.leadSome(docs) : w.lead}</p>
      <section className={styles.way} aria-label={w.way}>
        {q.error && !q.data ? <p>{w.noFlow}</p> : <Way f={q.data} />}
      </section>
      {docs > 0 && (
        <div className={styles.here} role="status">
          <b>{w.here}</b>
          <Button kind="accent" icon="play" onClick={() => navigate('/explore?live=1')}>
            {w.explore}
          </Button>
          <Button icon="dashboards" onClick={() => navigate('/dashboards/new')}>
            {w.dashboard}
          </Button>
        </div>
      )}
      <div className={styles.ways}>
        <PointAtFile />
        <section>
          <h2>{w.bring}</h2>
          <p>{w.bringHelp}</p>
          <Link href="/settings?tab=import" className={styles.link}>
            {w.bringLink}
          </Link>
          <p>{w.bringKibana}</p>
          <Link href="/dashboards" className={styles.link}>
            {w.bringKibanaLink}
          </Link>
        </section>
        <section>
          <h2>{w.demo}</h2>
          <p>{w.demoHelp}</p>
          <Snippet text="weir demo" />
          <h2>{w.http}</h2>
          <p>{w.httpHelp}</p>
          <Snippet text={bulkExample()} />
        </section>
      </div>
    </main>
  );
}

function bulkExample(): string {
  const line = JSON.stringify({ '@timestamp': new Date().toISOString(), message: 'hello', 'log.level': 'INFO' });
  return `curl -H 'Content-Type: application/x-ndjson' \\\n  http://127.0.0.1:9200/logs-hello-default/_bulk \\\n  --data-binary $'{"create":{}}\\n${line}\\n'`;
}

function PointAtFile() {
  const w = useWords(words);
  const [path, setPath] = useState('/var/log/myapp/*.log');
  return (
    <section>
      <h2>{w.file}</h2>
      <label>
        <span>{w.path}</span>
        <input spellCheck={false} value={path} onChange={(e) => setPath(e.target.value)} />
      </label>
      <p>{w.fileHelp}</p>
      <Snippet
        text={`agent:\n  inputs:\n    - type: filestream\n      id: mine\n      paths: [${JSON.stringify(path)}]`}
      />
    </section>
  );
}

function Snippet({ text }: { text: string }) {
  const w = useWords(words);
  const { copied, copy } = useCopy();
  return (
    <div className={styles.snippet}>
      <pre tabIndex={0}>{text}</pre>
      <Button kind="quiet" icon={copied ? 'check' : 'copy'} onClick={() => copy(text)}>
        {copied ? w.copied : w.copy}
      </Button>
    </div>
  );
}

/** Each stage lights up when something passed it. */
function Way({ f }: { f: Flow | undefined }) {
  const w = useWords(words);
  const { lang } = usePrefs();
  const s = f?.stages;
  const agents = s?.agents ?? [];
  const files = agents.reduce((n, a) => n + (a.files?.length ?? 0), 0);
  const records = (s?.broker?.topics ?? []).reduce(
    (n, t) => n + (t.partitions ?? []).reduce((m, p) => m + (p.high ?? 0), 0),
    0,
  );
  const stages: [string, string, boolean][] = [
    ['files', String(files), files > 0],
    [
      'agents',
      f?.ledger ? w.read(short(f.ledger.read_events, lang)) : String(agents.length),
      (f?.ledger?.read_events ?? 0) > 0,
    ],
    ['broker', short(records, lang), records > 0],
    [
      'pipelines',
      (s?.pipelines ?? []).map((p) => p.name).join(', '),
      (s?.pipelines ?? []).some((p) => (p.out_s ?? 0) > 0) || (s?.store?.docs ?? 0) > 0,
    ],
    ['store', w.stored(short(s?.store?.docs ?? 0, lang)), (s?.store?.docs ?? 0) > 0],
  ];
  return (
    <ol>
      {stages.map(([name, text, on], i) => (
        <li key={name} data-on={on || undefined}>
          {i > 0 && <Icon name="right" size={14} />}
          <span>
            <b>{w.stages[name]}</b>
            <small>{on ? text : w.waiting}</small>
          </span>
        </li>
      ))}
    </ol>
  );
}
