// What the edited text does otherwise than the running one, with the same events.

import { duration } from '../i18n';
import { useWords } from '../i18n/words';
import { usePrefs } from '../prefs';
import { DiffLine, lineOf } from './events';
import styles from './page.module.css';
import type { PreviewState } from './preview';
import { words } from './words';

export function Compare({ p, edited }: { p: PreviewState; edited: boolean }) {
  const w = useWords(words);
  const { lang } = usePrefs();
  const c = p.shown?.comparison;
  if (!edited) return <p className={styles.empty}>{w.compareNone}</p>;
  if (!c) return <p className={styles.empty}>{p.stale ? w.stale : '…'}</p>;
  return (
    <div className={styles.compare}>
      <p className={styles.verdict} data-changed={p.changed > 0 || undefined}>
        <b>{w.compareHead(p.changed, c.records)}</b>
        <span>{w.cost(duration(c.micros_a / 1000, lang), duration(c.micros_b / 1000, lang))}</span>
      </p>
      <ul className={styles.events}>
        {p.differences.map((d) => (
          <li key={d.record} className={styles.event}>
            <p className={styles.compared}>{lineOf(p.shown?.records?.[d.record]?.value ?? '')}</p>
            <ul className={styles.changes}>
              {(d.a?.length ?? 0) > (d.b?.length ?? 0) && <li className={styles.bad}>{w.lost}</li>}
              {(d.a?.length ?? 0) < (d.b?.length ?? 0) && <li>{w.fresh}</li>}
              {(d.fields ?? [])
                .filter((f) => f.field !== '[event][ingested]')
                .map((f) => (
                  <DiffLine key={f.field} kind={f.old === undefined ? '+' : f.new === undefined ? '−' : '~'} c={f} />
                ))}
            </ul>
          </li>
        ))}
      </ul>
    </div>
  );
}
