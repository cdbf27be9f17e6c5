// One topic: its messages, partitions, groups and settings.

import { useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useState } from 'react';
import { bytes, duration, number, short, useT } from '../i18n';
import { useWords } from '../i18n/words';
import { Button } from '../kit/button';
import { Message as Text } from '../kit/message';
import { usePrefs } from '../prefs';
import { clock } from '../time';
import styles from './drawer.module.css';
import * as queue from './queue';
import { words } from './words';

function useTopic(name: string) {
  return useQuery({
    queryKey: ['topic', name],
    queryFn: ({ signal }) => queue.topic(name, signal),
    refetchInterval: 3000,
    retry: false,
  });
}

function Failure({ error }: { error: Error | null }) {
  const w = useWords(words);
  return error ? (
    <p className={styles.trouble} role="alert">
      {w.failed}: {error.message}
    </p>
  ) : null;
}

export function Messages({ name }: { name: string }) {
  const w = useWords(words);
  const { lang } = usePrefs();
  const [from, setFrom] = useState('newest');
  const [at, setAt] = useState('');
  const [q, setQ] = useState<queue.MessageQuery>({});
  const [pages, setPages] = useState<queue.Page[]>([]);
  const [failure, setFailure] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const topic = useTopic(name);
  const begin = from === 'offset' || from === 'time' ? at : from;
  const read = useCallback(
    async (more?: queue.Page) => {
      setBusy(true);
      try {
        const next = Object.entries(more?.next ?? {})
          .map(([p, o]) => `${p}:${o}`)
          .join(',');
        const page = await queue.messages(name, { ...q, from: begin || 'newest', limit: 50, at: next || undefined });
        setPages((l) => (more ? [...l, page] : [page]));
        setFailure(null);
      } catch (e) {
        setFailure(e as Error);
      } finally {
        setBusy(false);
      }
    },
    [name, q, begin],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: read again when a choice is made; typed texts wait for Enter
  useEffect(() => {
    if (from !== 'offset' && from !== 'time') void read();
  }, [name, from, q.partition]);
  const list = pages.flatMap((p) => p.messages ?? []);
  const last = pages[pages.length - 1];
  return (
    <>
      <form
        className={styles.form}
        onSubmit={(e) => {
          e.preventDefault();
          void read();
        }}
      >
        <select aria-label={w.from} value={from} onChange={(e) => setFrom(e.target.value)}>
          <option value="newest">{w.newest}</option>
          <option value="-5m">{w.back('5 min')}</option>
          <option value="-1h">{w.back('1 h')}</option>
          <option value="oldest">{w.oldest}</option>
          <option value="offset">{w.offset}</option>
          <option value="time">{w.time}</option>
        </select>
        {(from === 'offset' || from === 'time') && (
          <input
            aria-label={w.at}
            placeholder={from === 'offset' ? '0' : new Date().toISOString().slice(0, 19).concat('Z')}
            value={at}
            onChange={(e) => setAt(e.target.value)}
          />
        )}
        <select
          aria-label={w.partition}
          value={q.partition ?? ''}
          onChange={(e) => setQ({ ...q, partition: e.target.value || undefined })}
        >
          <option value="">{w.allPartitions}</option>
          {(topic.data?.parts ?? []).map((p) => (
            <option key={p.id}>{p.id}</option>
          ))}
        </select>
        <input
          aria-label={w.contains}
          placeholder={w.contains}
          value={q.contains ?? ''}
          onChange={(e) => setQ({ ...q, contains: e.target.value || undefined })}
        />
        <input
          aria-label={w.key}
          placeholder={w.key}
          className={styles.short}
          value={q.key ?? ''}
          onChange={(e) => setQ({ ...q, key: e.target.value || undefined })}
        />
        <Button type="submit" disabled={busy}>
          {w.read}
        </Button>
      </form>
      <Failure error={failure} />
      <ul className={styles.messages}>
        {pages.length > 0 && list.length === 0 && <li className={styles.empty}>{w.noMessages}</li>}
        {list.map((m) => (
          <MessageRow key={`${m.partition}@${m.offset}`} m={m} />
        ))}
        {last && (
          <li className={styles.foot}>
            <span>{w.scanned(number(last.scanned, lang))}</span>
            {last.end ? (
              <span>{w.end}</span>
            ) : (
              <Button kind="quiet" disabled={busy} onClick={() => void read(last)}>
                {w.more}
              </Button>
            )}
          </li>
        )}
      </ul>
    </>
  );
}

function MessageRow({ m }: { m: queue.Message }) {
  const w = useWords(words);
  const [open, setOpen] = useState(false);
  return (
    <li>
      <button type="button" className={styles.message} aria-expanded={open} onClick={() => setOpen(!open)}>
        <span>
          {m.partition}@{m.offset}
        </span>
        <time>{clock(Date.parse(m.time))}</time>
        <code>
          <Text text={lineOf(m).slice(0, 500)} hits={null} flat />
        </code>
      </button>
      {open && (
        <div className={styles.value}>
          <p>
            {bytes(m.value_bytes)}
            {m.key && ` · ${w.key} ${m.key}`}
            {m.origin && ` · ${w.origin(`${m.origin.source.slice(0, 12)}… ${m.origin.first}+${m.origin.length}`)}`}
          </p>
          {(m.headers ?? []).map((h) => (
            <p key={h.key}>
              {h.key}: {h.value}
            </p>
          ))}
          <pre tabIndex={0}>{pretty(m)}</pre>
        </div>
      )}
    </li>
  );
}

function lineOf(m: queue.Message): string {
  if (m.value_kind !== 'json') return m.value;
  try {
    const v = JSON.parse(m.value) as { message?: unknown };
    return typeof v?.message === 'string' ? v.message : m.value;
  } catch {
    return m.value;
  }
}

function pretty(m: queue.Message): string {
  if (m.value_kind !== 'json' || m.cut) return m.value + (m.cut ? ' …' : '');
  try {
    return JSON.stringify(JSON.parse(m.value), null, 2);
  } catch {
    return m.value;
  }
}

export function Partitions({ name }: { name: string }) {
  const w = useWords(words);
  const { lang } = usePrefs();
  const q = useTopic(name);
  return (
    <div className={styles.body}>
      <Failure error={q.error} />
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">{w.partition}</th>
            <th scope="col">{w.columns.low}</th>
            <th scope="col">{w.columns.high}</th>
            <th scope="col">{w.columns.records}</th>
            <th scope="col">{w.columns.bytes}</th>
            <th scope="col">{w.columns.leader}</th>
          </tr>
        </thead>
        <tbody>
          {(q.data?.parts ?? []).map((p) => (
            <tr key={p.id}>
              <th scope="row">{p.id}</th>
              <td>{number(p.low, lang)}</td>
              <td>{number(p.high, lang)}</td>
              <td>{number(p.high - p.low, lang)}</td>
              <td>{bytes(p.bytes)}</td>
              <td data-bad={p.error ? true : undefined}>{p.error || p.leader}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Settings({ name }: { name: string }) {
  const w = useWords(words);
  const q = useTopic(name);
  return (
    <div className={styles.body}>
      <Failure error={q.error} />
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">{w.setting}</th>
            <th scope="col">{w.value}</th>
          </tr>
        </thead>
        <tbody>
          {(q.data?.configs ?? []).map((c) => (
            <tr key={c.name}>
              <th scope="row">{c.name}</th>
              <td>{c.value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function GroupPane({ name }: { name: string }) {
  const w = useWords(words);
  const q = useTopic(name);
  const groups = q.data?.groups ?? [];
  return (
    <div className={styles.body}>
      <Failure error={q.error} />
      {q.data && groups.length === 0 && <p className={styles.empty}>{w.noGroups}</p>}
      {groups.map((g) => (
        <GroupView key={g.group} id={g.group} topic={name} />
      ))}
    </div>
  );
}

function GroupView({ id, topic }: { id: string; topic: string }) {
  const t = useT();
  const w = useWords(words);
  const { lang } = usePrefs();
  const q = useQuery({
    queryKey: ['group', id],
    queryFn: ({ signal }) => queue.group(id, signal),
    refetchInterval: 3000,
    retry: false,
  });
  const g = q.data;
  if (!g) return <Failure error={q.error} />;
  const lag = (n: number, ms: number) =>
    n > 0 ? `${short(n, lang)}${ms > 0 ? ` · ${duration(ms, lang)}` : ''}` : t.flow.noLag;
  return (
    <section className={styles.group} aria-label={id}>
      <h3>
        {id} <small>{g.state}</small> <small>{t.flow.members(g.members)}</small> <small>{lag(g.lag, g.lag_ms)}</small>
      </h3>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">{w.partition}</th>
            <th scope="col">{w.committed}</th>
            <th scope="col">{w.columns.high}</th>
            <th scope="col">{w.lag}</th>
          </tr>
        </thead>
        <tbody>
          {(g.offsets ?? [])
            .filter((o) => o.topic === topic)
            .map((o) => (
              <tr key={o.partition}>
                <th scope="row">{o.partition}</th>
                <td>{o.committed < 0 ? '–' : number(o.committed, lang)}</td>
                <td>{number(o.high, lang)}</td>
                <td>{lag(o.lag, o.lag_ms)}</td>
              </tr>
            ))}
        </tbody>
      </table>
      {(g.member_list ?? []).map((m) => (
        <p key={m.id} className={styles.muted}>
          {m.client_id} {m.host} · {(m.partitions[topic] ?? []).map((p) => `p${p}`).join(' ')}
        </p>
      ))}
      {g.kept ? (
        <p className={styles.muted}>{g.kept}</p>
      ) : g.members > 0 ? (
        <p className={styles.muted}>{w.active(g.members)}</p>
      ) : (
        <Reset id={id} topic={topic} onMoved={() => void q.refetch()} />
      )}
    </section>
  );
}

function Reset({ id, topic, onMoved }: { id: string; topic: string; onMoved(): void }) {
  const w = useWords(words);
  const { lang } = usePrefs();
  const [to, setTo] = useState('start');
  const [moves, setMoves] = useState<queue.Move[] | null>(null);
  const [failure, setFailure] = useState<Error | null>(null);
  const [done, setDone] = useState('');
  const run = async (dry: boolean) => {
    try {
      const l = await queue.reset(id, to, [topic], dry);
      setMoves(dry ? l : null);
      setDone(dry ? '' : w.moved(l.length));
      setFailure(null);
      if (!dry) onMoved();
    } catch (e) {
      setFailure(e as Error);
      setMoves(null);
    }
  };
  return (
    <div className={styles.reset}>
      <p className={styles.row}>
        <input
          aria-label={w.resetTo}
          list="reset-to"
          value={to}
          onChange={(e) => {
            setTo(e.target.value);
            setMoves(null);
          }}
        />
        <datalist id="reset-to">
          <option value="start">{w.resetStart}</option>
          <option value="end">{w.resetEnd}</option>
          <option value="-15m">{w.back('15 min')}</option>
          <option value="-1h">{w.back('1 h')}</option>
        </datalist>
        <Button onClick={() => void run(true)}>{w.resetTry}</Button>
        {moves && moves.length > 0 && (
          <Button kind="accent" onClick={() => void run(false)}>
            {w.resetDo}
          </Button>
        )}
      </p>
      <Failure error={failure} />
      {done && <p role="status">{done}</p>}
      {moves && (
        <p className={styles.muted}>
          {w.wouldMove}:{' '}
          {moves
            .map((m) => `p${m.partition} ${m.from < 0 ? '–' : number(m.from, lang)} → ${number(m.to, lang)}`)
            .join(', ')}
        </p>
      )}
    </div>
  );
}
