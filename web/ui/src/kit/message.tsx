import { memo } from 'react';
import { pieces } from '../text';
import { cx } from './cx';
import styles from './message.module.css';

interface Props {
  text: string;
  hits: RegExp | null;
  /** One line: line ends become signs. */
  flat?: boolean;
}

/** The text of a log line: ANSI colours, matches of the search, and signs for what cannot be seen. */
export const Message = memo(function Message({ text, hits, flat }: Props) {
  const shown = flat && /[\r\n]/.test(text) ? text.replace(/\s*[\r\n]+\s*/g, ' ↵ ') : text;
  const parts = pieces(shown, hits);
  if (parts.length === 1 && !parts[0].hit && parts[0].fg === undefined) return <>{parts[0].text}</>;
  return (
    <>
      {parts.map((p, i) => {
        const cls = cx(
          p.fg !== undefined && styles[`c${p.fg}`],
          p.bold && styles.bold,
          p.dim && styles.dim,
          p.underline && styles.underline,
          p.sign && styles.sign,
        );
        if (p.hit)
          return (
            <mark key={i} className={cx(styles.hit, cls)}>
              {p.text}
            </mark>
          );
        return cls ? (
          <span key={i} className={cls}>
            {p.text}
          </span>
        ) : (
          p.text
        );
      })}
    </>
  );
});
