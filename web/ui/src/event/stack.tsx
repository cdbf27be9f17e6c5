import { useMemo, useState } from 'react';
import { parseStack } from '../explore/stack';
import { useT } from '../i18n';
import { Message } from '../kit/message';
import styles from './detail.module.css';

/** Frames shown of a folded run. */
const shownFrames = 2;

/** A stack trace: frames folded, every "Caused by" open. */
export function Stack({ text }: { text: string }) {
  const t = useT();
  const parts = useMemo(() => parseStack(text), [text]);
  const [all, setAll] = useState(false);
  const folds = parts.some((p) => p.kind === 'frames' && p.lines.length > shownFrames + 1);
  return (
    <div className={styles.stack}>
      <pre>
        {parts.map((p, i) => (
          <Part key={i} kind={p.kind} lines={p.lines} all={all} />
        ))}
      </pre>
      {folds && (
        <button type="button" className={styles.unfold} onClick={() => setAll(!all)}>
          {all ? t.event.fold : t.event.unfold}
        </button>
      )}
    </div>
  );
}

function Part({ kind, lines, all }: { kind: string; lines: string[]; all: boolean }) {
  const t = useT();
  const [open, setOpen] = useState(false);
  const fold = kind === 'frames' && lines.length > shownFrames + 1 && !all && !open;
  const shown = fold ? lines.slice(0, shownFrames) : lines;
  return (
    <div data-part={kind}>
      <Message text={shown.join('\n')} hits={null} />
      {fold && (
        <button type="button" className={styles.frames} onClick={() => setOpen(true)}>
          … {t.event.frames(lines.length - shownFrames)}
        </button>
      )}
    </div>
  );
}
