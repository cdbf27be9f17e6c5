// The list of dashboards: one's own, then those that come with the program.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { ago } from '../i18n';
import { useWords } from '../i18n/words';
import { Button, IconButton } from '../kit/button';
import { Icon } from '../kit/icon';
import { usePrefs } from '../prefs';
import * as dash from './api';
import { ImportDialog } from './import';
import styles from './page.module.css';
import { words } from './words';

interface Item {
  id: string;
  data: { title: string; description?: string };
  meta: dash.Meta;
}

export default function DashboardsPage() {
  const w = useWords(words);
  const [, navigate] = useLocation();
  const [search, setSearch] = useState('');
  const [importing, setImporting] = useState(false);
  const q = useQuery({ queryKey: ['dashboards'], queryFn: ({ signal }) => dash.list(signal) });
  const all = q.data?.data ?? [];
  const found = all.filter((d) =>
    `${d.data.title} ${d.data.description ?? ''}`.toLowerCase().includes(search.trim().toLowerCase()),
  );
  const own = found.filter((d) => !d.meta.managed);
  const ready = found.filter((d) => d.meta.managed);
  return (
    <main className={styles.page} id="log" tabIndex={-1}>
      <header className={styles.head}>
        <h1>{w.title}</h1>
        <label className={styles.search}>
          <Icon name="search" size={13} />
          <input
            type="search"
            value={search}
            placeholder={w.search}
            aria-label={w.search}
            onChange={(e) => setSearch(e.target.value)}
          />
        </label>
        <span className={styles.grow} />
        <Button icon="upload" onClick={() => setImporting(true)}>
          {w.import}
        </Button>
        <Button kind="accent" icon="plus" onClick={() => navigate('/dashboards/new')}>
          {w.create}
        </Button>
      </header>
      {q.error && <p role="alert">{`${w.failed}: ${q.error.message}`}</p>}
      {q.data && (
        <>
          {own.length === 0 && search === '' ? (
            <div className={styles.none}>
              <h2>{w.none}</h2>
              <p>{w.noneHelp}</p>
            </div>
          ) : (
            <List title={w.own} items={own} />
          )}
          {ready.length > 0 && <List title={w.ready} items={ready} />}
          {found.length === 0 && <p className={styles.none}>{w.noMatch}</p>}
        </>
      )}
      {importing && <ImportDialog onClose={() => setImporting(false)} />}
    </main>
  );
}

function List({ title, items }: { title: string; items: Item[] }) {
  const w = useWords(words);
  const { lang } = usePrefs();
  const client = useQueryClient();
  if (items.length === 0) return null;
  const remove = async (d: Item) => {
    if (!window.confirm(w.removeAsk(d.data.title))) return;
    await dash.remove(d.id);
    void client.invalidateQueries({ queryKey: ['dashboards'] });
  };
  return (
    <section>
      <h2 className={styles.group}>{title}</h2>
      <ul className={styles.list}>
        {items.map((d) => (
          <li key={d.id} className={styles.item}>
            <Link href={`/dashboards/${encodeURIComponent(d.id)}`} className={styles.link}>
              <Icon name="dashboards" size={15} />
              <span>
                <b>{d.data.title}</b>
                <small>{d.data.description}</small>
              </span>
              {d.meta.updated_at && <em>{w.updated(ago(Date.parse(d.meta.updated_at), Date.now(), lang))}</em>}
            </Link>
            {!d.meta.managed && (
              <IconButton
                icon="trash"
                size={13}
                label={`${w.remove}: ${d.data.title}`}
                onClick={() => void remove(d)}
              />
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
