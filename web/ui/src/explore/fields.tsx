// The fields of the index: those chosen as columns, those seen in the rows on screen, then all others. An opened field shows
// its most frequent values, counted over the whole range.

import { useQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef, useState } from 'react';
import * as api from '../api';
import { number, percent, useT } from '../i18n';
import { Button, IconButton } from '../kit/button';
import { Icon } from '../kit/icon';
import { usePrefs } from '../prefs';
import type { ExploreState, Filter } from '../url';
import { matchesParts } from '../words';
import styles from './fields.module.css';

type Entry = { kind: 'head'; text: string; n: number } | { kind: 'field'; field: api.FieldInfo; group: string };

interface Props {
  state: ExploreState;
  fields: api.FieldInfo[];
  rows: api.Row[];
  /** Changes when the numbers may have changed. */
  serial: number;
  onColumn(field: string): void;
  onFilter(f: Filter): void;
}

/** Rows looked at for the fields that are seen. */
const sampled = 100;

function seenIn(rows: api.Row[]): Set<string> {
  const names = new Set<string>();
  for (const r of rows.slice(0, sampled)) for (const k of Object.keys(r.fields ?? {})) names.add(k);
  return names;
}

export function Fields({ state, fields, rows, serial, onColumn, onFilter }: Props) {
  const t = useT();
  const [search, setSearch] = useState('');
  const [open, setOpen] = useState<string | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the rows of one result are looked at once
  const seen = useMemo(() => seenIn(rows), [serial]);

  const entries = useMemo(() => {
    const found = fields.filter((f) => matchesParts(f.name, search));
    const chosen = found.filter((f) => state.cols.includes(f.name));
    const here = found.filter((f) => seen.has(f.name) && !state.cols.includes(f.name));
    const rest = found.filter((f) => !seen.has(f.name) && !state.cols.includes(f.name));
    const group = (text: string, list: api.FieldInfo[]): Entry[] =>
      list.length === 0
        ? []
        : [
            { kind: 'head', text, n: list.length },
            ...list.map((field): Entry => ({ kind: 'field', field, group: text })),
          ];
    return [
      ...group(t.explore.chosen, chosen),
      ...group(t.explore.seen, here),
      ...group(rest.length < found.length ? t.explore.others : t.explore.fields, rest),
    ];
  }, [fields, search, seen, state.cols, t]);

  const virtual = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 26,
    getItemKey: (i) => {
      const e = entries[i];
      return e.kind === 'head' ? `# ${e.text}` : `${e.group} ${e.field.name}`;
    },
    overscan: 10,
  });

  return (
    <aside className={styles.panel} aria-label={t.explore.fields}>
      <div className={styles.search}>
        <Icon name="search" size={13} />
        <input
          type="search"
          value={search}
          placeholder={t.explore.searchFields}
          aria-label={t.explore.searchFields}
          onChange={(e) => setSearch(e.target.value)}
        />
      </div>
      <div ref={scroller} className={styles.list}>
        {entries.length === 0 && search !== '' && <p className={styles.none}>{t.explore.noFields}</p>}
        <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map((v) => {
            const e = entries[v.index];
            return (
              <div
                key={v.key}
                data-index={v.index}
                ref={virtual.measureElement}
                className={styles.slot}
                style={{ transform: `translateY(${v.start}px)` }}
              >
                {e.kind === 'head' ? (
                  <div className={styles.head}>
                    {e.text} <span>{e.n}</span>
                  </div>
                ) : (
                  <FieldRow
                    field={e.field}
                    open={open === e.field.name}
                    column={state.cols.includes(e.field.name)}
                    state={state}
                    serial={serial}
                    onToggle={() => setOpen(open === e.field.name ? null : e.field.name)}
                    onColumn={onColumn}
                    onFilter={onFilter}
                  />
                )}
              </div>
            );
          })}
        </div>
      </div>
    </aside>
  );
}

/** Letters before a name tell its type without a word each. */
// biome-ignore format: one line
const marks: Record<string, string> = {
  keyword: 'k', constant_keyword: 'k', wildcard: 'k', text: 't', match_only_text: 't', date: '◷', date_nanos: '◷', boolean: 'b', ip: 'ip',
};

interface RowProps {
  field: api.FieldInfo;
  open: boolean;
  column: boolean;
  state: ExploreState;
  serial: number;
  onToggle(): void;
  onColumn(field: string): void;
  onFilter(f: Filter): void;
}

function FieldRow({ field, open, column, state, serial, onToggle, onColumn, onFilter }: RowProps) {
  const t = useT();
  return (
    <div className={styles.item} data-open={open || undefined}>
      <div className={styles.row}>
        <button
          type="button"
          className={styles.name}
          aria-expanded={open}
          title={`${field.name} · ${field.type}`}
          onClick={onToggle}
        >
          <span className={styles.type}>{marks[field.type] ?? '#'}</span>
          <span className={styles.text}>{field.name}</span>
        </button>
        <IconButton
          icon={column ? 'minus' : 'plus'}
          size={13}
          side="right"
          label={column ? t.explore.removeColumn : t.explore.addColumn}
          onClick={() => onColumn(field.name)}
        />
      </div>
      {open && <Values field={field} state={state} serial={serial} onFilter={onFilter} />}
    </div>
  );
}

function Values({ field, state, serial, onFilter }: Pick<RowProps, 'field' | 'state' | 'serial' | 'onFilter'>) {
  const t = useT();
  const { lang } = usePrefs();
  const q = useQuery({
    queryKey: ['values', field.name, state.index, state.q, state.lang, state.f, state.from, state.to, serial],
    queryFn: ({ signal }) =>
      api.values(
        {
          index: state.index,
          field: field.name,
          query: state.q,
          filters: JSON.stringify(state.f.filter((f) => !f.disabled)),
          lang: state.lang,
          from: state.from,
          to: state.to,
        },
        signal,
      ),
    placeholderData: (before) => before,
    retry: false,
    enabled: field.aggregatable,
  });
  if (!field.aggregatable) return <p className={styles.note}>{t.explore.notCounted}</p>;
  if (q.error) return <p className={styles.note}>{q.error.message}</p>;
  if (!q.data) return <p className={styles.note}>{t.event.loading}</p>;
  const { total, exists, distinct } = q.data;
  const list = q.data.values ?? [];
  const top = list[0]?.n ?? 1;
  return (
    <div className={styles.values} data-dim={q.isPlaceholderData || undefined}>
      {list.length === 0 && <p className={styles.note}>{t.explore.noValues}</p>}
      {list.map((v) => (
        <div key={String(v.value)} className={styles.value}>
          <span className={styles.bar} style={{ width: `${(v.n / top) * 100}%` }} />
          <span className={styles.text} title={String(v.value)}>
            {String(v.value)}
          </span>
          <span className={styles.n} title={number(v.n, lang)}>
            {exists > 0 ? percent(v.n / exists, lang) : number(v.n, lang)}
          </span>
          <span className={styles.tools}>
            <IconButton
              icon="plusCircle"
              size={13}
              label={t.explore.filterIn}
              onClick={() => onFilter({ field: field.name, op: 'is', value: v.value })}
            />
            <IconButton
              icon="minusCircle"
              size={13}
              label={t.explore.filterOut}
              onClick={() => onFilter({ field: field.name, op: 'is_not', value: v.value })}
            />
          </span>
        </div>
      ))}
      <div className={styles.foot}>
        <span>
          {total > 0 ? t.explore.exists(percent(exists / total, lang)) : ''}
          {distinct > 0 ? ` · ${t.explore.distinct(distinct)}` : ''}
        </span>
        <Button
          kind="quiet"
          icon="filter"
          aria-label={t.explore.hasField}
          title={t.explore.hasField}
          onClick={() => onFilter({ field: field.name, op: 'exists' })}
        />
      </div>
    </div>
  );
}
