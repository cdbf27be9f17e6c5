import { timeZone, url } from '../api';
import { useWords } from '../i18n/words';
import layer from '../kit/layer.module.css';
import type { ExploreState } from '../url';
import styles from './saved.module.css';
import { words } from './words';

/** The address of all events of a search as a file. */
export function exportUrl(s: ExploreState, format: 'csv' | 'ndjson' | 'text', bom = false): string {
  const p = new URLSearchParams({
    format,
    index: s.index,
    query: s.q,
    lang: s.lang,
    from: s.from,
    to: s.to,
    tz: timeZone,
  });
  const filters = s.f.filter((f) => !f.disabled);
  if (filters.length > 0) p.set('filters', JSON.stringify(filters));
  if (s.cols.length > 0) p.set('cols', s.cols.join(','));
  if (bom) p.set('bom', '1');
  return url(`weir/export?${p}`);
}

export default function ExportMenu({ state, onDone }: { state: ExploreState; onDone(): void }) {
  const w = useWords(words);
  const kinds = [
    ['csv', w.csv, true],
    ['ndjson', w.ndjson, false],
    ['text', w.text, false],
  ] as const;
  return (
    <>
      {kinds.map(([format, name, bom]) => (
        <a key={format} className={layer.item} download href={exportUrl(state, format, bom)} onClick={onDone}>
          {name}
        </a>
      ))}
      <p className={styles.help}>{w.exportHelp}</p>
    </>
  );
}
