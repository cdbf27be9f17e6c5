import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation, useSearch } from 'wouter';
import * as api from '../api';
import { useT } from '../i18n';
import { flatten, member, tokens } from '../json';
import { Button } from '../kit/button';
import { defaults, format } from '../url';
import { EventDetail, type Tab } from './detail';
import styles from './page.module.css';

/** Milliseconds shown before an event that is opened in Explore. */
const before = 15 * 60_000;

/** The time of the event, from the same answer that the detail shows; NaN until it is there. */
function useTime(index: string, id: string): number {
  const q = useQuery({
    queryKey: ['event', index, id],
    queryFn: ({ signal }) => api.eventText(index, id, signal),
    staleTime: 60_000,
  });
  if (!q.data) return Number.NaN;
  const stamp = flatten(member(tokens(q.data), 'source')).find((f) => f.name === '@timestamp');
  return Date.parse(stamp?.text ?? '');
}

/** One event under its own address, with the lines around it. */
export default function EventPage() {
  const t = useT();
  const p = new URLSearchParams(useSearch());
  const [, navigate] = useLocation();
  const [tab, setTab] = useState<Tab>('fields');
  const row = { index: p.get('index') ?? '', id: p.get('id') ?? '' };
  const t0 = useTime(row.index, row.id);
  // The event is the newest of its range, so that it is among the first rows.
  const search = (f: typeof defaults.f, open: typeof defaults.open) => {
    const range = t0
      ? { from: new Date(t0 - before).toISOString(), to: new Date(t0 + 1).toISOString() }
      : { from: 'now-24h' };
    navigate(`/explore?${format({ ...defaults, ...range, f, open })}`);
  };
  return (
    <main className={styles.page}>
      <header className={styles.head}>
        <h1>{t.event.title}</h1>
        <code>{row.id}</code>
        <Button icon="explore" onClick={() => search([], row)}>
          {t.event.open}
        </Button>
      </header>
      <EventDetail
        key={row.id}
        row={row}
        tab={tab}
        onTab={setTab}
        onFilter={(f) => search([f], row)}
        onOpen={(r) => navigate(`/e?index=${encodeURIComponent(r.index)}&id=${encodeURIComponent(r.id)}`)}
      />
    </main>
  );
}
