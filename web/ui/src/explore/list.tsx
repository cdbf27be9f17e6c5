// The list of log lines: only what is in view is drawn. Heights are known without measuring (a line, or two with a stack), but
// for opened and wrapped rows, which are measured as they are drawn.

import { useVirtualizer } from '@tanstack/react-virtual';
import {
  type MouseEvent,
  type ReactNode,
  type Ref,
  useCallback,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import type { Row } from '../api';
import { useT } from '../i18n';
import { Icon } from '../kit/icon';
import { levelOf, shortLogger } from '../levels';
import { usePrefs } from '../prefs';
import { day } from '../time';
import styles from './list.module.css';
import { LogRow, type RowAction, type Shape } from './row';

export const rowHeights = { compact: 20, normal: 24, relaxed: 32 };
const openGuess = 320;
const gapHeight = 28;
const maxServiceChars = 18;
const maxLoggerChars = 28;

export interface ListHandle {
  scrollTo(index: number, align?: 'auto' | 'start' | 'center' | 'end'): void;
  toEnd(): void;
  /** Index of the first row in view. */
  top(): number;
  element(): HTMLDivElement | null;
}

export interface ListProps<R extends Row> {
  rows: R[];
  keyOf(row: R): string | number;
  opened: ReadonlySet<string>;
  focused: number;
  cols: string[];
  hits: RegExp | null;
  /** Resets what the list learned about widths: another search. */
  serial: number | string;
  dim?: boolean;
  ref?: Ref<ListHandle>;
  footer?: ReactNode;
  rowExtra?(row: R): { fresh?: boolean; late?: string };
  /** A sentence above a row: lines are missing there. */
  gapBefore?(row: R): string | undefined;
  detail(row: R): ReactNode;
  onAction(index: number, action: RowAction): void;
  onScroll?(el: HTMLDivElement): void;
  /** Called when the last rows come into view. */
  onEnd?(): void;
  /** Rows come at the end, and the list is moved there in the same step. */
  following?: boolean;
  /** Takes a column away. */
  onColumn(field: string): void;
}

export function openKey(row: Row): string {
  return `${row.index}/${row.id}`;
}

/** Widths only grow while a result is shown, so that columns do not jump while scrolling. */
function useShape(rows: Row[], visible: Row[], cols: string[], serial: number | string): Shape {
  const { wrap, fold } = usePrefs();
  const seen = useRef({ serial, service: 0, logger: 0, days: false, today: day(Date.now()) });
  if (seen.current.serial !== serial) {
    seen.current = { serial, service: 0, logger: 0, days: false, today: day(Date.now()) };
  }
  const s = seen.current;
  for (const r of visible) {
    s.service = Math.max(s.service, Math.min(maxServiceChars, r.service.length));
    s.logger = Math.max(s.logger, Math.min(maxLoggerChars, shortLogger(r.logger).length));
    if (!s.days && day(r.t) !== s.today) s.days = true;
  }
  if (rows.length > 0 && day(rows[0].t) !== day(rows[rows.length - 1].t)) s.days = true;
  const { days, service, logger } = s;
  return useMemo(() => ({ days, service, logger, cols, wrap, fold }), [days, service, logger, cols, wrap, fold]);
}

export function LogList<R extends Row>(p: ListProps<R>) {
  const t = useT();
  const { density, wrap, fold } = usePrefs();
  const scroller = useRef<HTMLDivElement>(null);
  const line = rowHeights[density];
  const { rows, opened } = p;
  const measured = (row: R) => wrap || opened.has(openKey(row));

  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (i) => {
      // Asked for every row each time their number changes: 100,000 times a frame in live tail.
      const row = rows[i];
      if (!row) return line;
      const height = row.stack === '' || fold ? line : 2 * line;
      if (opened.size > 0 && opened.has(openKey(row))) return line + openGuess;
      return p.gapBefore?.(row) ? height + gapHeight : height;
    },
    getItemKey: (i) => (rows[i] ? p.keyOf(rows[i]) : i),
    overscan: 12,
    useFlushSync: !p.following,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: sizes that were kept belong to another height of lines
  useLayoutEffect(() => virtual.measure(), [line, wrap, fold, opened, virtual]);

  const [hovered, setHovered] = useState(-1);
  const onMouseMove = (e: MouseEvent) => {
    const at = (e.target as HTMLElement).closest<HTMLElement>('[data-index]')?.dataset.index;
    setHovered(at === undefined ? -1 : Number(at));
  };

  const items = virtual.getVirtualItems();
  const shape = useShape(rows, items.map((v) => rows[v.index]).filter(Boolean), p.cols, p.serial);
  const last = items[items.length - 1]?.index ?? -1;
  const { onEnd } = p;
  useLayoutEffect(() => {
    if (rows.length > 0 && last >= rows.length - 30) onEnd?.();
  }, [last, rows.length, onEnd]);

  useImperativeHandle(p.ref, () => ({
    scrollTo: (index, align = 'auto') => virtual.scrollToIndex(index, { align }),
    toEnd: () => {
      const el = scroller.current;
      if (!el) return;
      el.scrollTop = el.scrollHeight;
      // The event itself comes a frame late: rows would be drawn for the old place, and the end stay blank until then.
      el.dispatchEvent(new Event('scroll'));
    },
    top: () => virtual.range?.startIndex ?? 0,
    element: () => scroller.current,
  }));

  const onScroll = useCallback(() => scroller.current && p.onScroll?.(scroller.current), [p.onScroll]);

  return (
    <div
      ref={scroller}
      role="grid"
      id="log"
      aria-label={t.explore.logs}
      aria-rowcount={rows.length}
      tabIndex={0}
      className={styles.scroller}
      data-density={density}
      data-wrap={wrap || undefined}
      data-dim={p.dim || undefined}
      onScroll={onScroll}
      onMouseMove={onMouseMove}
      onMouseLeave={() => setHovered(-1)}
    >
      {p.cols.length > 0 && <Head shape={shape} onColumn={p.onColumn} />}
      <div className={styles.space} style={{ height: virtual.getTotalSize() }}>
        {items.map((v) => {
          const row = rows[v.index];
          if (!row) return null;
          const extra = p.rowExtra?.(row);
          const gap = p.gapBefore?.(row);
          const open = opened.has(openKey(row));
          return (
            <div
              key={v.key}
              data-index={v.index}
              ref={measured(row) ? virtual.measureElement : undefined}
              className={styles.slot}
              style={{ transform: `translateY(${v.start}px)` }}
            >
              {gap && (
                <div role="row">
                  <div role="gridcell" className={styles.gap}>
                    {gap}
                  </div>
                </div>
              )}
              <LogRow
                row={row}
                index={v.index}
                open={open}
                focused={v.index === p.focused}
                hovered={v.index === hovered}
                shape={shape}
                hits={p.hits}
                t={t}
                fresh={extra?.fresh}
                late={extra?.late}
                onAction={p.onAction}
              />
              {open && (
                <div role="row">
                  <div role="gridcell">{p.detail(row)}</div>
                </div>
              )}
            </div>
          );
        })}
      </div>
      {p.footer && (
        <div role="row">
          <div role="gridcell">{p.footer}</div>
        </div>
      )}
    </div>
  );
}

/** Names above the columns, shown once a field was added to them. */
function Head({ shape, onColumn }: { shape: Shape; onColumn(field: string): void }) {
  const t = useT();
  return (
    <div role="row" className={styles.head}>
      <span role="columnheader" className={styles.time}>
        {shape.days && '           '}
        {t.explore.time.padEnd(12)}
      </span>
      <span role="columnheader" className={styles.level}>
        {t.explore.level}
      </span>
      {shape.service > 0 && (
        <span role="columnheader" className={styles.service} style={{ width: `calc(${shape.service}ch + 12px)` }}>
          {t.explore.service}
        </span>
      )}
      {shape.logger > 0 && (
        <span role="columnheader" className={styles.logger} style={{ width: `${shape.logger}ch` }}>
          {t.explore.logger}
        </span>
      )}
      {shape.cols.map((c) => (
        <span role="columnheader" key={c} className={styles.col} title={c}>
          <span>{c}</span>
          <button type="button" aria-label={`${t.explore.removeColumn}: ${c}`} onClick={() => onColumn(c)}>
            <Icon name="close" size={11} />
          </button>
        </span>
      ))}
      <span role="columnheader" className={styles.message}>
        {t.explore.message}
      </span>
    </div>
  );
}

/** Index of the next row from `from` that a test accepts, -1 when there is none. */
export function seek<R extends Row>(rows: R[], from: number, step: 1 | -1, test: (r: R) => boolean): number {
  for (let i = from + step; i >= 0 && i < rows.length; i += step) if (test(rows[i])) return i;
  return -1;
}

export function hasLevel(...names: string[]) {
  return (r: Row) => names.includes(levelOf(r.level) ?? '');
}

export function hasMatch(hits: RegExp | null) {
  return (r: Row) => hits !== null && r.message.search(hits) >= 0;
}

export { lineOf } from './row';
