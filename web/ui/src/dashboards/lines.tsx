// Log lines in a panel: the newest first, drawn as they come into view.

import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import type { Row } from '../api';
import { fieldText } from '../explore/row';
import { rootCause } from '../explore/stack';
import { Message } from '../kit/message';
import { hue, levelOf } from '../levels';
import { clock, stamp } from '../time';
import styles from './lines.module.css';

interface Props {
  rows: Row[];
  columns: string[];
  onRow?(row: Row): void;
}

export function Lines({ rows, columns, onRow }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 20,
    overscan: 8,
  });
  return (
    <div ref={scroller} className={styles.lines} role="list" tabIndex={0}>
      <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map((v) => {
          const r = rows[v.index];
          const level = levelOf(r.level);
          return (
            <div key={v.key} role="listitem" className={styles.slot} style={{ transform: `translateY(${v.start}px)` }}>
              <button type="button" className={styles.line} title={r.ts} onClick={() => onRow?.(r)}>
                <span className={styles.time} title={stamp(r.t)}>
                  {r.t === 0 ? '—' : clock(r.t)}
                </span>
                <span className={styles.level} data-level={level ?? undefined}>
                  {level ?? r.level}
                </span>
                {r.service && (
                  <span className={styles.service}>
                    <i style={{ background: `var(--series-${hue(r.service)})` }} />
                    {r.service}
                  </span>
                )}
                {columns.map((c) => (
                  <span key={c} className={styles.col} title={c}>
                    {fieldText(r, c)}
                  </span>
                ))}
                <span className={styles.message}>
                  <Message text={r.message} hits={null} flat />
                  {r.stack !== '' && <em> {rootCause(r.stack)}</em>}
                </span>
              </button>
            </div>
          );
        })}
      </div>
    </div>
  );
}
