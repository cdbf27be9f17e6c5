// The result as a table: a column per field, sorted by the server, as wide as it was made.

import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type PointerEvent, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { Row } from '../api';
import { useT } from '../i18n';
import { useWords } from '../i18n/words';
import { useKeys } from '../keys';
import { Icon } from '../kit/icon';
import { Message } from '../kit/message';
import { levelOf } from '../levels';
import { prefs, setPrefs, usePrefs } from '../prefs';
import { stamp } from '../time';
import { openKey, rowHeights } from './list';
import { fieldText } from './row';
import styles from './tableview.module.css';
import { words } from './words';

interface Props {
  rows: Row[];
  cols: string[];
  sort: string;
  opened: string;
  hits: RegExp | null;
  dim: boolean;
  onSort(sort: string): void;
  onColumn(field: string): void;
  onOpen(row: Row): void;
  onEnd(): void;
}

const standard: Record<string, number> = {
  '@timestamp': 188,
  'log.level': 64,
  'service.name': 120,
  'log.logger': 200,
  message: 640,
};
const least = 40;
const most = 2000;

/** Columns when none was chosen. */
const first = ['log.level', 'service.name', 'log.logger'];

function text(row: Row, col: string): string {
  if (col === '@timestamp') return row.t === 0 ? '—' : stamp(row.t);
  if (col === 'log.level') return row.level;
  if (col === 'service.name') return row.service;
  if (col === 'log.logger') return row.logger;
  return fieldText(row, col);
}

export default function TableView(p: Props) {
  const t = useT();
  const w = useWords(words);
  const { density, widths } = usePrefs();
  const [focused, setFocused] = useState(-1);
  const scroller = useRef<HTMLDivElement>(null);
  const cols = useMemo(() => ['@timestamp', ...(p.cols.length > 0 ? p.cols : first), 'message'], [p.cols]);
  const line = rowHeights[density] + 4;
  const virtual = useVirtualizer({
    count: p.rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => line,
    overscan: 10,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: heights that were kept belong to another density
  useLayoutEffect(() => virtual.measure(), [line]);
  const items = virtual.getVirtualItems();
  const last = items[items.length - 1]?.index ?? -1;
  const { onEnd } = p;
  useLayoutEffect(() => {
    if (p.rows.length > 0 && last >= p.rows.length - 30) onEnd();
  }, [last, p.rows.length, onEnd]);
  const widthOf = (c: string) => widths[c] ?? standard[c] ?? 160;
  const total = cols.reduce((s, c) => s + widthOf(c), 0);
  const go = (i: number) => {
    const at = Math.max(0, Math.min(p.rows.length - 1, i));
    setFocused(at);
    virtual.scrollToIndex(at);
  };
  useKeys({
    down: () => go(focused + 1),
    up: () => go(focused - 1),
    newest: () => go(0),
    oldest: () => go(p.rows.length - 1),
    open: () => (focused >= 0 && p.rows[focused] ? p.onOpen(p.rows[focused]) : false),
  });
  return (
    <div
      ref={scroller}
      id="log"
      role="grid"
      aria-label={w.table}
      aria-rowcount={p.rows.length}
      tabIndex={0}
      className={styles.table}
      data-dim={p.dim || undefined}
    >
      <div role="row" className={styles.head} style={{ width: total }}>
        {cols.map((c) => (
          <Head
            key={c}
            name={c}
            width={widthOf(c)}
            sort={p.sort}
            own={p.cols.includes(c)}
            onSort={p.onSort}
            onColumn={p.onColumn}
          />
        ))}
      </div>
      <div style={{ height: virtual.getTotalSize(), width: total, position: 'relative' }}>
        {items.map((v) => {
          const row = p.rows[v.index];
          if (!row) return null;
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the grid itself handles the keys
            <div
              key={v.key}
              role="row"
              aria-rowindex={v.index + 1}
              aria-selected={v.index === focused}
              className={styles.row}
              data-level={levelOf(row.level) ?? undefined}
              data-open={p.opened === openKey(row) || undefined}
              style={{ transform: `translateY(${v.start}px)`, height: line, lineHeight: `${line}px` }}
              onClick={() => {
                if (!document.getSelection()?.isCollapsed) return;
                setFocused(v.index);
                p.onOpen(row);
              }}
            >
              {cols.map((c) => (
                <span key={c} role="gridcell" className={styles.cell} style={{ width: widthOf(c) }}>
                  {c === 'message' ? <Message text={row.message} hits={p.hits} flat /> : text(row, c)}
                </span>
              ))}
            </div>
          );
        })}
      </div>
      <p className="sr">{t.explore.logs}</p>
    </div>
  );
}

interface HeadProps extends Pick<Props, 'onSort' | 'onColumn'> {
  name: string;
  width: number;
  sort: string;
  own: boolean;
}

function Head({ name, width, sort, own, onSort, onColumn }: HeadProps) {
  const t = useT();
  const w = useWords(words);
  const [field, dir] =
    sort === ''
      ? ['@timestamp', 'desc']
      : [sort.slice(0, sort.lastIndexOf(':')), sort.slice(sort.lastIndexOf(':') + 1)];
  const on = field === name;
  const sortable = name !== 'message';
  const resize = (px: number) =>
    setPrefs({ widths: { ...prefs().widths, [name]: Math.max(least, Math.min(most, Math.round(px))) } });
  const drag = (e: PointerEvent<HTMLElement>) => {
    e.preventDefault();
    const from = e.clientX;
    const el = e.currentTarget;
    el.setPointerCapture(e.pointerId);
    const move = (m: globalThis.PointerEvent) => resize(width + m.clientX - from);
    el.addEventListener('pointermove', move);
    el.addEventListener('lostpointercapture', () => el.removeEventListener('pointermove', move), { once: true });
  };
  const keys = (e: KeyboardEvent) => {
    const by = e.key === 'ArrowRight' ? 16 : e.key === 'ArrowLeft' ? -16 : 0;
    if (by === 0) return;
    e.preventDefault();
    resize(width + by);
  };
  return (
    <span
      role="columnheader"
      aria-sort={on ? (dir === 'asc' ? 'ascending' : 'descending') : undefined}
      className={styles.th}
      style={{ width }}
    >
      <button
        type="button"
        disabled={!sortable}
        title={w.sortBy(name)}
        onClick={() => onSort(`${name}:${on && dir === 'desc' ? 'asc' : 'desc'}`)}
      >
        {name}
        {on && <Icon name={dir === 'asc' ? 'up' : 'down'} size={11} />}
      </button>
      {own && (
        <button
          type="button"
          className={styles.remove}
          aria-label={`${t.explore.removeColumn}: ${name}`}
          onClick={() => onColumn(name)}
        >
          <Icon name="close" size={11} />
        </button>
      )}
      <span
        role="slider"
        aria-label={w.width(name)}
        aria-valuenow={width}
        aria-valuemin={least}
        aria-valuemax={most}
        tabIndex={0}
        className={styles.edge}
        onPointerDown={drag}
        onKeyDown={keys}
      />
    </span>
  );
}
