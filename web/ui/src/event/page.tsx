import { useState } from 'react';
import { useLocation, useSearch } from 'wouter';
import { useT } from '../i18n';
import { Button } from '../kit/button';
import { defaults, format } from '../url';
import { EventDetail, type Tab } from './detail';
import styles from './page.module.css';

/** One event under its own address, with the lines around it. */
export default function EventPage() {
  const t = useT();
  const p = new URLSearchParams(useSearch());
  const [, navigate] = useLocation();
  const [tab, setTab] = useState<Tab>('fields');
  const row = { index: p.get('index') ?? '', id: p.get('id') ?? '' };
  const search = (f: typeof defaults.f) => navigate(`/explore?${format({ ...defaults, from: 'now-24h', f })}`);
  return (
    <main className={styles.page}>
      <header className={styles.head}>
        <h1>{t.event.title}</h1>
        <code>{row.id}</code>
        <Button icon="explore" onClick={() => search([{ field: '_id', op: 'is', value: row.id }])}>
          {t.event.open}
        </Button>
      </header>
      <EventDetail
        key={row.id}
        row={row}
        tab={tab}
        onTab={setTab}
        onFilter={(f) => search([f])}
        onOpen={(r) => navigate(`/e?index=${encodeURIComponent(r.index)}&id=${encodeURIComponent(r.id)}`)}
      />
    </main>
  );
}
