import { type CSSProperties, type MouseEvent, memo } from 'react';
import type { Row } from '../api';
import { bytes, type Dict } from '../i18n';
import { IconButton } from '../kit/button';
import { cx } from '../kit/cx';
import { Message } from '../kit/message';
import { hue, levelOf, shortLogger } from '../levels';
import { clock, day } from '../time';
import styles from './list.module.css';
import { lineCount, rootCause } from './stack';

export interface Shape {
  /** Show the day before the clock. */
  days: boolean;
  service: number;
  logger: number;
  cols: string[];
  wrap: boolean;
  fold: boolean;
}

export type RowAction = 'toggle' | 'link' | 'copy' | 'context';

interface Props {
  row: Row;
  index: number;
  open: boolean;
  focused: boolean;
  shape: Shape;
  hits: RegExp | null;
  t: Dict;
  fresh?: boolean;
  late?: string;
  /** The pointer is over it: its buttons show. Only this row has them, a list of thousands could not afford them for all. */
  hovered: boolean;
  onAction(index: number, action: RowAction): void;
}

export function fieldText(row: Row, name: string): string {
  const v = row.fields?.[name];
  if (v === undefined || v === null) return '';
  return typeof v === 'object' ? JSON.stringify(v) : String(v);
}

/** One log line, as it is copied. */
export function lineOf(row: Row): string {
  const parts = [row.ts, row.level, row.service, row.logger, row.message].filter(Boolean);
  return parts.join(' ') + (row.stack ? `\n${row.stack}` : '');
}

export const LogRow = memo(function LogRow(p: Props) {
  const { row, shape, t } = p;
  const level = levelOf(row.level);
  const onClick = (e: MouseEvent) => {
    const selected = document.getSelection();
    if (selected && !selected.isCollapsed) return; // the end of a selection is no click
    if ((e.target as HTMLElement).closest('button')) return;
    p.onAction(p.index, 'toggle');
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid itself handles the keys
    <div
      role="row"
      aria-rowindex={p.index + 1}
      aria-selected={p.focused}
      tabIndex={-1}
      className={cx(
        styles.row,
        level && styles[level],
        p.focused && styles.focused,
        p.open && styles.open,
        p.fresh && styles.fresh,
      )}
      onClick={onClick}
    >
      <div className={styles.line}>
        <span role="gridcell" className={styles.time} title={row.ts}>
          {shape.days && `${row.t === 0 ? ' '.repeat(10) : day(row.t)} `}
          {row.t === 0 ? '—'.padEnd(12) : clock(row.t)}
        </span>
        <span role="gridcell" className={styles.level}>
          {level ?? row.level}
        </span>
        {shape.service > 0 && <Service name={row.service} chars={shape.service} />}
        {shape.logger > 0 && (
          <span role="gridcell" className={styles.logger} style={width(shape.logger)} title={row.logger}>
            {shortLogger(row.logger)}
          </span>
        )}
        {shape.cols.map((c) => (
          <span role="gridcell" key={c} className={styles.col} title={fieldText(row, c)}>
            {fieldText(row, c)}
          </span>
        ))}
        <span role="gridcell" className={styles.message}>
          {p.late && <span className={styles.late}>{p.late}</span>}
          <Message text={row.message} hits={p.hits} flat={!shape.wrap} />
          {row.cut > 0 && <span className={styles.more}>+{bytes(row.cut)}</span>}
        </span>
      </div>
      {row.stack !== '' && !p.open && !shape.fold && (
        <div role="gridcell" className={styles.stack}>
          <span className={styles.fold}>⤷ {t.explore.stackLines(lineCount(row.stack))}</span>
          <span className={styles.cause}>{rootCause(row.stack)}</span>
        </div>
      )}
      {p.hovered && <Actions index={p.index} t={t} onAction={p.onAction} />}
    </div>
  );
});

function Actions({ index, t, onAction }: Pick<Props, 'index' | 't' | 'onAction'>) {
  return (
    <span role="gridcell" className={styles.actions}>
      <IconButton icon="context" size={14} label={t.explore.around} onClick={() => onAction(index, 'context')} />
      <IconButton icon="copy" size={14} label={t.explore.copy} onClick={() => onAction(index, 'copy')} />
      <IconButton icon="link" size={14} label={t.explore.link} onClick={() => onAction(index, 'link')} />
    </span>
  );
}

function width(chars: number): CSSProperties {
  return { width: `${chars}ch` };
}

function Service({ name, chars }: { name: string; chars: number }) {
  const dot = { background: `var(--series-${hue(name)})` };
  return (
    <span role="gridcell" className={styles.service} style={{ width: `calc(${chars}ch + 12px)` }} title={name}>
      {name !== '' && <i className={styles.dot} style={dot} />}
      {name}
    </span>
  );
}
