// The account of every byte by source, asked for when it is opened: it reads the ledger's topic.

import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { bytes, number } from '../i18n';
import { useWords } from '../i18n/words';
import { usePrefs } from '../prefs';
import { stamp } from '../time';
import styles from './drawer.module.css';
import * as queue from './queue';
import { words } from './words';

const columns = ['read', 'indexed', 'dropped', 'merged', 'dead', 'lost', 'in_flight', 'missing'] as const;

export function AuditPane() {
  const w = useWords(words);
  const [since, setSince] = useState('1h');
  const q = useQuery({
    queryKey: ['audit', since],
    queryFn: ({ signal }) => queue.audit(since, signal),
    retry: false,
    staleTime: 0,
  });
  const groups = q.data?.groups ?? [];
  return (
    <div className={styles.body}>
      <p className={styles.row}>
        <label>
          {w.auditSpan}{' '}
          <select value={since} onChange={(e) => setSince(e.target.value)}>
            {['15m', '1h', '6h', '24h'].map((s) => (
              <option key={s}>{s}</option>
            ))}
          </select>
        </label>
        {q.isFetching && <span className={styles.muted}>{w.auditRead}</span>}
      </p>
      {q.error && (
        <p className={styles.trouble} role="alert">
          {w.failed}: {q.error.message}
        </p>
      )}
      {q.data && groups.every((g) => (g.sources ?? []).length === 0) && <p className={styles.empty}>{w.auditNone}</p>}
      {groups.map((g) => (
        <section key={g.group} className={styles.group} aria-label={g.group}>
          <h3>
            {g.group} <small>{w.auditUntil(stamp(Date.parse(g.complete_until)))}</small>
          </h3>
          {[{ ...g.total, path: w.total, host: '' }, ...(g.sources ?? [])].map((a, i) => (
            <AccountView key={i === 0 ? 'total' : a.source} a={a} />
          ))}
        </section>
      ))}
    </div>
  );
}

function AccountView({ a }: { a: queue.Account }) {
  const w = useWords(words);
  const { lang } = usePrefs();
  const bad = a.missing > 0 || a.lost > 0;
  return (
    <div className={styles.account} data-bad={bad || undefined}>
      <p title={a.source}>
        {a.path} {a.host && <small>{a.host}</small>}
      </p>
      <dl>
        {columns
          .filter((c) => c === 'read' || c === 'missing' || a[c] > 0)
          .map((c) => (
            <div key={c} data-bad={(c === 'missing' || c === 'lost') && a[c] > 0 ? true : undefined}>
              <dt>{w.auditHead[c]}</dt>
              <dd title={`${number(a[c], lang)} B`}>{bytes(a[c])}</dd>
            </div>
          ))}
      </dl>
      {(a.gaps ?? []).map(([from, to]) => (
        <p key={from} className={styles.bad}>
          {w.gap(number(from, lang), number(to, lang))}
        </p>
      ))}
      {a.repeats > 0 && <p className={styles.muted}>{w.repeats(bytes(a.repeats))}</p>}
    </div>
  );
}
