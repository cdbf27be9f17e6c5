import { useEffect, useState } from 'react';
import { useT } from '../i18n';
import { composing } from '../ime';
import styles from './page.module.css';

/** The names of the indices searched; commas and stars as the store reads them. */
export function IndexPattern({ value, onChange }: { value: string; onChange(v: string): void }) {
  const t = useT();
  const [draft, setDraft] = useState(value);
  useEffect(() => setDraft(value), [value]);
  const apply = () => {
    const next = draft.trim();
    if (next === '') setDraft(value);
    else if (next !== value) onChange(next);
  };
  return (
    <input
      className={styles.index}
      value={draft}
      spellCheck={false}
      aria-label={t.query.index}
      title={t.query.index}
      style={{ width: `${Math.min(24, Math.max(7, draft.length + 1))}ch` }}
      onChange={(e) => setDraft(e.target.value)}
      onBlur={apply}
      onKeyDown={(e) => {
        if (composing(e)) return;
        if (e.key === 'Enter') apply();
        if (e.key === 'Escape') setDraft(value);
      }}
    />
  );
}
