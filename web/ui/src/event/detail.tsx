// One event opened: its fields, its JSON as it is stored, and the lines around it.

import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useMemo } from 'react';
import * as api from '../api';
import { parseStack } from '../explore/stack';
import { useT } from '../i18n';
import { type FlatField, flatten, member, print, tokens } from '../json';
import { Button } from '../kit/button';
import { useCopy } from '../kit/copy';
import { cx } from '../kit/cx';
import type { Filter } from '../url';
import { Context } from './context';
import styles from './detail.module.css';
import { FieldTable } from './fieldtable';
import { JsonView } from './jsonview';
import { Stack } from './stack';

export type Tab = 'fields' | 'json' | 'context' | 'trace' | 'journey';

const Trace = lazy(() => import('./trace'));
const Journey = lazy(() => import('./journey'));

interface Props {
  row: { index: string; id: string };
  tab: Tab;
  onTab(tab: Tab): void;
  cols?: string[];
  hits?: RegExp | null;
  onFilter?(f: Filter): void;
  onColumn?(field: string): void;
  onOpen?(row: api.Row): void;
  onClose?(): void;
}

/** Names of fields whose text is a stack trace, shown on its own. */
const stackFields = ['error.stack_trace', 'exception.stacktrace', 'stack_trace', 'stacktrace'];

export function EventDetail(p: Props) {
  const t = useT();
  const { copied, copy } = useCopy();
  const q = useQuery({
    queryKey: ['event', p.row.index, p.row.id],
    queryFn: ({ signal }) => api.eventText(p.row.index, p.row.id, signal),
    staleTime: 60_000,
    retry: (n, e) => n < 3 && e instanceof api.ApiError && e.passing,
  });
  const source = useMemo(() => (q.data ? member(tokens(q.data), 'source') : []), [q.data]);
  const { fields, stack } = useMemo(() => partsOf(flatten(source)), [source]);
  const trace = traceOf(fields);
  const tabs: Tab[] = ['fields', 'json', 'context', ...(trace.value ? (['trace'] as const) : []), 'journey'];

  return (
    <section className={styles.detail} aria-label={t.event.title}>
      <div className={styles.bar}>
        <div role="tablist" className={styles.tabs}>
          {tabs.map((name) => (
            <button
              key={name}
              type="button"
              role="tab"
              aria-selected={p.tab === name}
              className={cx(styles.tab, p.tab === name && styles.chosen)}
              onClick={() => p.onTab(name)}
            >
              {t.event[name]}
            </button>
          ))}
        </div>
        <span className={styles.id} title={`${p.row.index}/${p.row.id}`}>
          {p.row.index}
        </span>
        <Button kind="quiet" icon={copied ? 'check' : 'copy'} disabled={!q.data} onClick={() => copy(print(source))}>
          {copied ? t.event.copied : t.event.copyJson}
        </Button>
        {p.onClose && <Button kind="quiet" icon="close" aria-label={t.event.close} onClick={p.onClose} />}
      </div>
      {p.tab === 'context' ? (
        <Context index={p.row.index} id={p.row.id} hits={p.hits ?? null} onOpen={p.onOpen} />
      ) : q.error ? (
        <p className={styles.note}>
          {q.error instanceof api.ApiError && q.error.status === 404 ? t.event.missing : q.error.message}
        </p>
      ) : !q.data ? (
        <p className={styles.note}>{t.event.loading}</p>
      ) : p.tab === 'trace' ? (
        <Suspense fallback={null}>
          <Trace
            trace={trace.value}
            field={trace.field}
            at={Date.parse(fields.find((f) => f.name === '@timestamp')?.text ?? '')}
            id={p.row.id}
            index={p.row.index}
            onFilter={p.onFilter}
            onOpen={p.onOpen}
          />
        </Suspense>
      ) : p.tab === 'journey' ? (
        <Suspense fallback={null}>
          <Journey index={p.row.index} id={p.row.id} />
        </Suspense>
      ) : p.tab === 'json' ? (
        <JsonView source={source} />
      ) : (
        <>
          {stack && <Stack text={stack} />}
          <FieldTable
            fields={fields}
            cols={p.cols ?? []}
            hits={p.hits ?? null}
            onFilter={p.onFilter}
            onColumn={p.onColumn}
          />
        </>
      )}
    </section>
  );
}

/** The field that names the event's trace, as the frameworks write it. */
function traceOf(fields: FlatField[]): { field: string; value: string } {
  for (const field of ['trace.id', 'traceId', 'trace_id']) {
    const value = fields.find((f) => f.name === field)?.text;
    if (value) return { field, value };
  }
  return { field: 'trace.id', value: '' };
}

/** The line itself, then everything else in the order of the document; a stack trace on its own, wherever it stood. */
export function partsOf(all: FlatField[]): { fields: FlatField[]; stack: string } {
  let stack = '';
  const fields: FlatField[] = [];
  for (const f of all) {
    if (stackFields.includes(f.name) && f.kind === 'string') stack ||= f.text;
    else if (f.name === 'message') fields.unshift(f);
    else fields.push(f);
  }
  const first = fields[0];
  const end = first?.name === 'message' ? first.text.indexOf('\n') : -1;
  if (stack === '' && end > 0 && parseStack(first.text.slice(end + 1)).some((p) => p.kind === 'frames')) {
    stack = first.text.slice(end + 1);
    fields[0] = { ...first, text: first.text.slice(0, end) };
  }
  return { fields, stack };
}
