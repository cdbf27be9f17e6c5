// Alerts: the rules with what they saw last, and an editor that shows what a rule would have done.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { DropdownMenu } from 'radix-ui';
import { useState } from 'react';
import { useLocation, useSearch } from 'wouter';
import { ago } from '../i18n';
import { useWords } from '../i18n/words';
import { Button, IconButton } from '../kit/button';
import { Icon } from '../kit/icon';
import layer from '../kit/layer.module.css';
import { usePrefs } from '../prefs';
import { stamp } from '../time';
import { defaults, format } from '../url';
import * as alerts from './api';
import { RuleEditor } from './editor';
import styles from './page.module.css';
import { words } from './words';

/** Milliseconds between two looks at the states. */
const look = 5000;

/** A rule may come from Explore as query parameters. */
function fromSearch(search: string): alerts.Rule | null {
  const p = new URLSearchParams(search);
  if (p.get('new') !== '1') return null;
  return {
    ...alerts.blank,
    query: p.get('q') ?? alerts.blank.query,
    index: p.get('index') || alerts.blank.index,
    lang: p.get('lang') === 'lucene' ? 'lucene' : 'kql',
  };
}

export default function AlertsPage() {
  const w = useWords(words);
  const client = useQueryClient();
  const search = useSearch();
  const [, navigate] = useLocation();
  const q = useQuery({ queryKey: ['alerts'], queryFn: ({ signal }) => alerts.list(signal), refetchInterval: look });
  const [edited, setEdited] = useState<{ id?: string; version?: string; rule: alerts.Rule } | null>(() => {
    const rule = fromSearch(search);
    return rule ? { rule } : null;
  });
  const close = () => {
    setEdited(null);
    if (search) navigate('/alerts', { replace: true });
    void client.invalidateQueries({ queryKey: ['alerts'] });
  };
  const rules = q.data ?? [];
  return (
    <main className={styles.page} id="log" tabIndex={-1}>
      <div className={styles.list}>
        <header className={styles.head}>
          <h1>{w.title}</h1>
          <Button kind="accent" icon="plus" onClick={() => setEdited({ rule: alerts.blank })}>
            {w.create}
          </Button>
        </header>
        {q.error && <p role="alert">{`${w.failed}: ${q.error.message}`}</p>}
        {q.data && rules.length === 0 && (
          <div className={styles.none}>
            <h2>{w.none}</h2>
            <p>{w.noneHelp}</p>
          </div>
        )}
        <ul>
          {rules.map((v) => (
            <RuleRow
              key={v.id}
              v={v}
              onEdit={() => setEdited({ id: v.id, version: v.version, rule: v.rule })}
              onChanged={() => void client.invalidateQueries({ queryKey: ['alerts'] })}
            />
          ))}
        </ul>
      </div>
      {edited && <RuleEditor key={edited.id ?? 'new'} {...edited} onClose={close} />}
    </main>
  );
}

function RuleRow({ v, onEdit, onChanged }: { v: alerts.View; onEdit(): void; onChanged(): void }) {
  const w = useWords(words);
  const { lang } = usePrefs();
  const [, navigate] = useLocation();
  const [open, setOpen] = useState(false);
  const { rule: r, state: s } = v;
  const status = !r.enabled ? 'off' : (s?.status ?? 'fresh');
  const until = r.silenced_until && Date.parse(r.silenced_until) > Date.now() ? Date.parse(r.silenced_until) : 0;
  const remove = async () => {
    if (!window.confirm(w.removeAsk(r.name))) return;
    await alerts.remove(v.id);
    onChanged();
  };
  return (
    <li className={styles.rule}>
      <div className={styles.row}>
        <button type="button" className={styles.name} aria-expanded={open} onClick={() => setOpen(!open)}>
          <Icon name={open ? 'down' : 'right'} size={12} />
          <span className={styles.status} data-status={status}>
            {w.statuses[status]}
          </span>
          <b>{r.name}</b>
          <code>{r.query}</code>
        </button>
        {until > 0 && <span className={styles.muted}>{w.silenced(stamp(until))}</span>}
        {s && r.enabled && (
          <span className={styles.muted}>{w.lastRun(ago(Date.parse(s.last_run), Date.now(), lang))}</span>
        )}
        <DropdownMenu.Root modal={false}>
          <DropdownMenu.Trigger asChild>
            <IconButton icon="mute" size={14} label={`${w.silence}: ${r.name}`} />
          </DropdownMenu.Trigger>
          <DropdownMenu.Portal>
            <DropdownMenu.Content className={layer.menu} align="end" sideOffset={4}>
              {until > 0 && (
                <DropdownMenu.Item className={layer.item} onSelect={() => void alerts.silence(v.id, 0).then(onChanged)}>
                  {w.unsilence}
                </DropdownMenu.Item>
              )}
              {Object.entries(w.silenceFor).map(([minutes, name]) => (
                <DropdownMenu.Item
                  key={minutes}
                  className={layer.item}
                  onSelect={() => void alerts.silence(v.id, Number(minutes)).then(onChanged)}
                >
                  {w.silence} {name}
                </DropdownMenu.Item>
              ))}
            </DropdownMenu.Content>
          </DropdownMenu.Portal>
        </DropdownMenu.Root>
        <IconButton
          icon="explore"
          size={14}
          label={`${w.explore}: ${r.name}`}
          onClick={() =>
            navigate(`/explore?${format({ ...defaults, q: r.query, index: r.index, lang: r.lang, from: 'now-1h' })}`)
          }
        />
        <IconButton icon="edit" size={14} label={`${w.edit}: ${r.name}`} onClick={onEdit} />
        <IconButton icon="trash" size={14} label={`${w.remove}: ${r.name}`} onClick={() => void remove()} />
      </div>
      {s?.error && <p className={styles.error}>{s.error}</p>}
      {open && <History s={s} />}
    </li>
  );
}

function History({ s }: { s: alerts.State | null }) {
  const w = useWords(words);
  const list = [...(s?.history ?? [])].reverse();
  if (list.length === 0) return <p className={styles.muted}>{w.noHistory}</p>;
  return (
    <table className={styles.history} aria-label={w.history}>
      <tbody>
        {list.map((e, i) => (
          <tr key={i}>
            <td>{stamp(Date.parse(e.time))}</td>
            <td className={styles.status} data-status={e.status}>
              {w.statuses[e.status] ?? e.status}
            </td>
            <td>{e.group}</td>
            <td>{Number(e.value.toPrecision(4))}</td>
            <td className={styles.example} title={e.text}>
              {e.text}
            </td>
            <td>{(e.sent ?? []).join(', ')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
