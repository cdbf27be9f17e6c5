import { Popover } from 'radix-ui';
import { type KeyboardEvent, type Ref, useImperativeHandle, useState } from 'react';
import { useT } from '../i18n';
import { composing } from '../ime';
import { lastOf, type Range, resolve, stamp, typed } from '../time';
import { Button } from './button';
import { cx } from './cx';
import { Icon } from './icon';
import layer from './layer.module.css';
import styles from './timepicker.module.css';

const quick: Range[] = [
  ...['5m', '15m', '30m', '1h', '3h', '12h', '24h', '7d', '30d'].map((s) => ({ from: `now-${s}`, to: 'now' })),
  { from: 'now/d', to: 'now/d' },
  { from: 'now-1d/d', to: 'now-1d/d' },
  { from: 'now/w', to: 'now/w' },
];
const intervals = [0, 5, 10, 30, 60, 300];

interface Props {
  range: Range;
  refresh: number;
  disabled?: boolean;
  onChange(r: Range): void;
  onRefresh(seconds: number): void;
  ref?: Ref<{ open(): void }>;
}

export function useRangeLabel(): (r: Range) => string {
  const t = useT();
  return (r) => {
    const last = lastOf(r);
    if (last) return t.time.last(last.n, last.unit);
    if (r.from === 'now/d' && r.to === 'now/d') return t.time.today;
    if (r.from === 'now-1d/d' && r.to === 'now-1d/d') return t.time.yesterday;
    if (r.from === 'now/w' && r.to === 'now/w') return t.time.week;
    if (r.from === 'now/M' && r.to === 'now/M') return t.time.month;
    const [from, to] = [endLabel(r.from, t.time.now), endLabel(r.to, t.time.now)];
    const sameDay = /^\d{4}-/.test(from) && from.slice(0, 11) === to.slice(0, 11);
    return `${from} → ${sameDay ? to.slice(11) : to}`;
  };
}

function endLabel(expr: string, now: string): string {
  if (expr === 'now') return now;
  if (expr.startsWith('now')) return expr;
  const ms = resolve(expr, Date.now());
  return Number.isNaN(ms) ? expr : stamp(ms);
}

export function TimePicker({ range, refresh, disabled, onChange, onRefresh, ref }: Props) {
  const t = useT();
  const label = useRangeLabel();
  const [open, setOpen] = useState(false);
  useImperativeHandle(ref, () => ({ open: () => setOpen(true) }));
  const choose = (r: Range) => {
    onChange(r);
    setOpen(false);
  };
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger asChild>
        <button
          type="button"
          className={styles.trigger}
          disabled={disabled}
          aria-label={`${t.time.label}: ${label(range)}`}
        >
          <Icon name="clock" size={14} />
          <span>{label(range)}</span>
          {refresh > 0 && <span className={styles.every}>{t.time.every(refresh)}</span>}
          <Icon name="down" size={12} />
        </button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className={cx(layer.layer, styles.panel)} align="end" sideOffset={4} collisionPadding={8}>
          <Typed onChange={choose} />
          <div className={styles.columns}>
            <div className={styles.quick}>
              <div className={layer.label}>{t.time.quick}</div>
              {quick.map((r) => (
                <button
                  key={r.from + r.to}
                  type="button"
                  className={cx(layer.item, r.from === range.from && r.to === range.to && layer.chosen)}
                  onClick={() => choose(r)}
                >
                  {label(r)}
                </button>
              ))}
            </div>
            <div className={styles.forms}>
              <Relative range={range} onChange={choose} />
              <Absolute range={range} onChange={choose} />
              <div className={layer.label}>{t.time.refresh}</div>
              <div className={styles.intervals}>
                {intervals.map((s) => (
                  <button
                    key={s}
                    type="button"
                    aria-pressed={s === refresh}
                    className={cx(styles.chip, s === refresh && styles.on)}
                    onClick={() => onRefresh(s)}
                  >
                    {s === 0 ? t.time.off : t.time.every(s)}
                  </button>
                ))}
              </div>
            </div>
          </div>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function enter(run: () => void) {
  return (e: KeyboardEvent) => {
    if (e.key === 'Enter' && !composing(e)) run();
  };
}

function Typed({ onChange }: { onChange(r: Range): void }) {
  const t = useT();
  const label = useRangeLabel();
  const [text, setText] = useState('');
  const range = typed(text, Date.now());
  return (
    <div className={styles.typed}>
      <input
        className={styles.input}
        value={text}
        placeholder={t.time.type}
        aria-label={t.time.label}
        aria-invalid={text !== '' && !range}
        onChange={(e) => setText(e.target.value)}
        onKeyDown={enter(() => range && onChange(range))}
      />
      <span className={styles.reading} data-bad={(text !== '' && !range) || undefined}>
        {text === '' ? '' : range ? label(range) : t.time.unread}
      </span>
    </div>
  );
}

function Relative({ range, onChange }: { range: Range; onChange(r: Range): void }) {
  const t = useT();
  const last = lastOf(range);
  const [n, setN] = useState(String(last?.n ?? 15));
  const [unit, setUnit] = useState(last?.unit ?? 'm');
  const ok = /^[1-9]\d{0,5}$/.test(n.trim());
  const apply = () => ok && onChange({ from: `now-${n.trim()}${unit}`, to: 'now' });
  return (
    <>
      <div className={layer.label}>{t.time.relative}</div>
      <div className={styles.line}>
        <input
          className={styles.input}
          inputMode="numeric"
          aria-label={t.time.amount}
          aria-invalid={!ok}
          value={n}
          onChange={(e) => setN(e.target.value)}
          onKeyDown={enter(apply)}
        />
        <select
          className={styles.input}
          aria-label={t.time.unit}
          value={unit}
          onChange={(e) => setUnit(e.target.value)}
        >
          {Object.entries(t.time.units).map(([u, name]) => (
            <option key={u} value={u}>
              {name}
            </option>
          ))}
        </select>
        <Button disabled={!ok} onClick={apply}>
          {t.time.apply}
        </Button>
      </div>
    </>
  );
}

function Absolute({ range, onChange }: { range: Range; onChange(r: Range): void }) {
  const t = useT();
  const now = Date.now();
  const [from, setFrom] = useState(() => stamp(resolve(range.from, now)));
  const [to, setTo] = useState(() => stamp(resolve(range.to, now, true)));
  const a = resolve(from, now);
  const b = resolve(to, now, true);
  const read = !Number.isNaN(a) && !Number.isNaN(b);
  const ok = read && a < b;
  const iso = (text: string, ms: number) => (text.trim().startsWith('now') ? text.trim() : new Date(ms).toISOString());
  const apply = () => ok && onChange({ from: iso(from, a), to: iso(to, b) });
  return (
    <>
      <div className={layer.label}>{t.time.absolute}</div>
      <div className={styles.ends}>
        <label>
          <span>{t.time.from}</span>
          <input
            className={styles.input}
            value={from}
            aria-invalid={Number.isNaN(a)}
            onChange={(e) => setFrom(e.target.value)}
            onKeyDown={enter(apply)}
          />
        </label>
        <label>
          <span>{t.time.to}</span>
          <input
            className={styles.input}
            value={to}
            aria-invalid={Number.isNaN(b)}
            onChange={(e) => setTo(e.target.value)}
            onKeyDown={enter(apply)}
          />
        </label>
        <Button disabled={!ok} onClick={apply}>
          {t.time.apply}
        </Button>
      </div>
      <span className={styles.reading} data-bad>
        {!read ? t.time.unread : ok ? '' : t.time.backwards}
      </span>
    </>
  );
}
