// Settings: what is stored and for how long, imports, mail, appearance, and what this is.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useLocation, useSearch } from 'wouter';
import * as api from '../api';
import { Importer } from '../dashboards/import';
import { bytes, number } from '../i18n';
import { useWords } from '../i18n/words';
import { Button, IconButton } from '../kit/button';
import * as objects from '../objects';
import { type Density, type Lang, setPrefs, type Theme, usePrefs } from '../prefs';
import { Checker } from './check';
import styles from './page.module.css';
import { words } from './words';

const tabs = ['data', 'import', 'mail', 'appearance', 'about'];

export default function SettingsPage() {
  const w = useWords(words);
  const [, navigate] = useLocation();
  const p = new URLSearchParams(useSearch());
  const tab = tabs.find((x) => x === p.get('tab')) ?? 'data';
  return (
    <main className={styles.page} id="log" tabIndex={-1}>
      <h1>{w.title}</h1>
      <div role="tablist" className={styles.tabs}>
        {tabs.map((name) => (
          <button
            key={name}
            type="button"
            role="tab"
            aria-selected={name === tab}
            onClick={() => navigate(`/settings?tab=${name}`)}
          >
            {w.tabs[name]}
          </button>
        ))}
      </div>
      {tab === 'data' && <Data />}
      {tab === 'import' && <Imports />}
      {tab === 'mail' && <MailForm />}
      {tab === 'appearance' && <Appearance />}
      {tab === 'about' && <About />}
    </main>
  );
}

interface Indices {
  indices: { name: string; stream?: string; docs: number; bytes: number; health: string; policy?: string }[];
  policies: { name: string; delete_after?: string }[];
  store: { name: string; version: string; distribution: string };
}

function useIndices() {
  return useQuery({
    queryKey: ['indices'],
    queryFn: ({ signal }) => api.get<Indices>('weir/indices', {}, signal),
    refetchInterval: 15_000,
  });
}

function Data() {
  const w = useWords(words);
  const { lang } = usePrefs();
  const client = useQueryClient();
  const q = useIndices();
  const [problem, setProblem] = useState('');
  const list = q.data?.indices ?? [];
  const remove = async (name: string) => {
    if (!window.confirm(w.deleteAsk(name))) return;
    try {
      await api.send('DELETE', `weir/indices/${encodeURIComponent(name)}`);
      setProblem('');
    } catch (e) {
      setProblem((e as Error).message);
    }
    void client.invalidateQueries({ queryKey: ['indices'] });
  };
  return (
    <>
      <p>
        {w.dataHelp}{' '}
        {q.data &&
          w.total(
            number(
              list.reduce((s, i) => s + i.docs, 0),
              lang,
            ),
            bytes(list.reduce((s, i) => s + i.bytes, 0)),
          )}
      </p>
      {(problem || q.error) && (
        <p className={styles.error} role="alert">
          {problem || `${w.storeFailed}: ${q.error?.message}`}
        </p>
      )}
      {list.length > 0 && (
        <table className={styles.table}>
          <thead>
            <tr>
              <th>{w.name}</th>
              <th>{w.stream}</th>
              <th data-number>{w.docs}</th>
              <th data-number>{w.size}</th>
              <th>{w.policy}</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {list.map((i) => (
              <tr key={i.name}>
                <td>
                  <i className={styles.health} data-health={i.health} title={i.health} />
                  {i.name}
                </td>
                <td>{i.stream ?? (i.name.startsWith('weir-') ? w.own : '')}</td>
                <td data-number>{number(i.docs, lang)}</td>
                <td data-number>{bytes(i.bytes)}</td>
                <td>{i.policy}</td>
                <td>
                  {!i.name.startsWith('weir-') && (
                    <IconButton
                      icon="trash"
                      size={13}
                      label={`${w.deleteIndex}: ${i.stream ?? i.name}`}
                      onClick={() => void remove(i.stream ?? i.name)}
                    />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {q.data && <Retention data={q.data} />}
    </>
  );
}

function Retention({ data }: { data: Indices }) {
  const w = useWords(words);
  const client = useQueryClient();
  const [name, setName] = useState(data.policies[0]?.name ?? 'logs');
  const [after, setAfter] = useState(data.policies[0]?.delete_after ?? '30d');
  const [index, setIndex] = useState('logs-*');
  const [said, setSaid] = useState('');
  const apply = async (e: FormEvent) => {
    e.preventDefault();
    try {
      await api.send('PUT', `weir/retention/${encodeURIComponent(name)}`, {
        delete_after: after.trim(),
        index: index.trim(),
      });
      setSaid(w.applied);
      void client.invalidateQueries({ queryKey: ['indices'] });
    } catch (err) {
      setSaid((err as Error).message);
    }
  };
  if (data.store.distribution === 'opensearch') {
    return (
      <section>
        <h2>{w.retention}</h2>
        <p>{w.notHere}</p>
      </section>
    );
  }
  return (
    <section>
      <h2>{w.retention}</h2>
      <p>{w.retentionHelp}</p>
      {data.policies.length > 0 && (
        <ul className={styles.policies}>
          {data.policies.map((p) => (
            <li key={p.name}>
              <button
                type="button"
                onClick={() => {
                  setName(p.name);
                  setAfter(p.delete_after ?? '');
                }}
              >
                {p.name}
              </button>
              <span>{p.delete_after || w.never}</span>
            </li>
          ))}
        </ul>
      )}
      <form className={styles.form} onSubmit={apply}>
        <Field name={w.policyName} value={name} onChange={setName} />
        <Field name={w.after} value={after} onChange={setAfter} />
        <Field name={w.pattern} value={index} onChange={setIndex} />
        <Button type="submit" kind="accent" disabled={name.trim() === ''}>
          {w.apply}
        </Button>
      </form>
      {said && <p role="status">{said}</p>}
    </section>
  );
}

function Field({ name, value, onChange }: { name: string; value: string; onChange(v: string): void }) {
  return (
    <label>
      <span>{name}</span>
      <input spellCheck={false} value={value} onChange={(e) => onChange(e.target.value)} />
    </label>
  );
}

function Imports() {
  const w = useWords(words);
  return (
    <>
      <section>
        <h2>{w.kibana}</h2>
        <Importer />
      </section>
      <section>
        <h2>{w.configs}</h2>
        <Checker />
      </section>
    </>
  );
}

interface Mail {
  host: string;
  from: string;
  user?: string;
  password_env?: string;
}

function MailForm() {
  const w = useWords(words);
  const q = useQuery({
    queryKey: ['objects', 'setting', 'mail'],
    queryFn: async ({ signal }) => (await objects.list<Mail>('setting', signal)).find((o) => o.id === 'mail') ?? null,
  });
  if (q.isPending) return null;
  return <MailFields key={q.data?.version ?? 'none'} saved={q.data ?? null} label={w} />;
}

function MailFields({ saved, label: w }: { saved: objects.Saved<Mail> | null; label: (typeof words)['en'] }) {
  const client = useQueryClient();
  const [mail, setMail] = useState<Mail>(saved?.body ?? { host: '', from: '' });
  const [said, setSaid] = useState('');
  const save = async (e: FormEvent) => {
    e.preventDefault();
    try {
      await objects.put('setting', 'mail', 'mail', mail, saved?.version ?? 'create');
      setSaid(w.saved);
      void client.invalidateQueries({ queryKey: ['objects', 'setting', 'mail'] });
    } catch (err) {
      setSaid((err as Error).message);
    }
  };
  return (
    <form className={styles.column} onSubmit={save}>
      <p>{w.mailHelp}</p>
      <Field name={w.host} value={mail.host} onChange={(host) => setMail({ ...mail, host })} />
      <Field name={w.from} value={mail.from} onChange={(from) => setMail({ ...mail, from })} />
      <Field name={w.user} value={mail.user ?? ''} onChange={(user) => setMail({ ...mail, user })} />
      <Field
        name={w.passwordEnv}
        value={mail.password_env ?? ''}
        onChange={(v) => setMail({ ...mail, password_env: v })}
      />
      <Button type="submit" kind="accent">
        {w.save}
      </Button>
      {said && <p role="status">{said}</p>}
    </form>
  );
}

function Appearance() {
  const w = useWords(words);
  const { theme, lang, density, wrap } = usePrefs();
  return (
    <div className={styles.column}>
      <Choice
        name={w.theme}
        value={theme}
        options={{ dark: w.dark, light: w.light }}
        onChange={(v) => setPrefs({ theme: v as Theme })}
      />
      <Choice
        name={w.language}
        value={lang}
        options={{ en: 'English', ko: '한국어' }}
        onChange={(v) => setPrefs({ lang: v as Lang })}
      />
      <Choice
        name={w.density}
        value={density}
        options={{ compact: w.compact, normal: w.normal, relaxed: w.relaxed }}
        onChange={(v) => setPrefs({ density: v as Density })}
      />
      <label className={styles.check}>
        <input type="checkbox" checked={wrap} onChange={(e) => setPrefs({ wrap: e.target.checked })} />
        <span>{w.wrap}</span>
      </label>
      <Button onClick={() => setPrefs({ history: [], widths: {} })}>{w.reset}</Button>
    </div>
  );
}

interface ChoiceProps {
  name: string;
  value: string;
  options: Record<string, string>;
  onChange(v: string): void;
}

function Choice({ name, value, options, onChange }: ChoiceProps) {
  return (
    <fieldset className={styles.choice}>
      <legend>{name}</legend>
      {Object.entries(options).map(([v, label]) => (
        <button key={v} type="button" aria-pressed={v === value} onClick={() => onChange(v)}>
          {label}
        </button>
      ))}
    </fieldset>
  );
}

function About() {
  const w = useWords(words);
  const info = useQuery({
    queryKey: ['info'],
    queryFn: ({ signal }) => api.info(signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const q = useIndices();
  const store = q.data?.store;
  return (
    <>
      <dl className={styles.about}>
        <dt>{w.version}</dt>
        <dd>{info.data?.version}</dd>
        <dt>{w.store}</dt>
        <dd>
          {store
            ? `${w.stores[store.distribution] ?? store.distribution} ${store.distribution === 'weir' ? '' : store.version}`
            : ''}
        </dd>
      </dl>
      <h2>{w.parts}</h2>
      <dl className={styles.about}>
        {(['live', 'flow', 'pipelines', 'check'] as const).map((part) => (
          <div key={part}>
            <dt>{w.partNames[part]}</dt>
            <dd>{info.data?.[part] ? w.yes : part === 'live' ? w.noLive : w.no}</dd>
          </div>
        ))}
      </dl>
      <p>
        <a href={api.url('licenses.md')}>{w.licences}</a> · <a href={api.url('notices.md')}>notices.md</a>
      </p>
    </>
  );
}
