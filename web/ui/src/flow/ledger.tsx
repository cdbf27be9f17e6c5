import type { Ledger } from '../api';
import { bytes, number, useT } from '../i18n';
import { useWords } from '../i18n/words';
import { Button } from '../kit/button';
import { Icon } from '../kit/icon';
import { usePrefs } from '../prefs';
import styles from './page.module.css';
import { words } from './words';

/** What became of every event that was read: the sum must come out even. */
export function LedgerStrip({ ledger: l, onOpen }: { ledger: Ledger; onOpen(): void }) {
  const t = useT();
  const w = useWords(words);
  const { lang } = usePrefs();
  const even = l.unexplained === 0;
  const parts: [string, number, string][] = [
    [t.flow.indexed, l.indexed, '--ok'],
    [t.flow.dropped, l.dropped, '--series-10'],
    [t.flow.dead, l.dead, '--warn'],
    [t.flow.inFlight, l.in_flight, '--info'],
  ];
  const whole = Math.max(1, l.read_events);
  return (
    <section className={styles.ledger} data-bad={!even || undefined} aria-label={t.flow.ledger}>
      <header>
        <h2>{t.flow.ledger}</h2>
        <span className={styles.verdict}>
          <Icon name={even ? 'check' : 'warning'} size={14} />
          {even ? t.flow.balanced : t.flow.unbalanced}
        </span>
        <Button kind="quiet" onClick={onOpen}>
          {w.audit}
        </Button>
      </header>
      <div className={styles.sum}>
        <Term name={t.flow.read} value={number(l.read_events, lang)} sub={bytes(l.read_bytes)} />
        {parts.map(([name, value, color], i) => (
          <span key={name} className={styles.pair}>
            <i>{i === 0 ? '=' : '+'}</i>
            <Term name={name} value={number(value, lang)} color={color} />
          </span>
        ))}
        <span className={styles.pair}>
          <i>+</i>
          <Term
            name={t.flow.unexplained}
            value={number(l.unexplained, lang)}
            color={even ? undefined : '--error'}
            strong
          />
        </span>
      </div>
      <div className={styles.bar} aria-hidden="true">
        {parts.map(([name, value, color]) =>
          value > 0 ? <i key={name} style={{ flexGrow: value / whole, background: `var(${color})` }} /> : null,
        )}
        {!even && <i style={{ flexGrow: Math.abs(l.unexplained) / whole, background: 'var(--error)' }} />}
      </div>
    </section>
  );
}

interface TermProps {
  name: string;
  value: string;
  sub?: string;
  color?: string;
  strong?: boolean;
}

function Term({ name, value, sub, color, strong }: TermProps) {
  return (
    <span className={styles.term} data-strong={strong || undefined}>
      <b>{value}</b>
      <span>
        {color && <i className={styles.key} style={{ background: `var(${color})` }} />}
        {name}
        {sub && <small> · {sub}</small>}
      </span>
    </span>
  );
}
