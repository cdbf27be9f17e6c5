import { useQuery } from '@tanstack/react-query';
import { useLayoutEffect, useRef } from 'react';
import * as api from '../api';
import { useT } from '../i18n';
import { cx } from '../kit/cx';
import { Message } from '../kit/message';
import { levelOf } from '../levels';
import { clock } from '../time';
import styles from './detail.module.css';

/** Lines on either side. */
const reach = 50;

interface Props {
  index: string;
  id: string;
  hits: RegExp | null;
  onOpen?(row: api.Row): void;
}

/** The lines of the same file around one line, in the order of the file; filters do not apply. */
export function Context({ index, id, hits, onOpen }: Props) {
  const t = useT();
  const q = useQuery({
    queryKey: ['context', index, id],
    queryFn: ({ signal }) => api.context(index, id, reach, signal),
    staleTime: 30_000,
  });
  const here = useRef<HTMLDivElement>(null);
  const box = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once the lines are there
  useLayoutEffect(() => {
    if (here.current && box.current) {
      box.current.scrollTop = here.current.offsetTop - box.current.clientHeight / 2;
    }
  }, [q.data]);
  if (q.error) return <p className={styles.note}>{q.error.message}</p>;
  if (!q.data) return <p className={styles.note}>{t.event.loading}</p>;
  const { before, hit, after } = q.data;
  const lines = [...(before ?? []), hit, ...(after ?? [])];
  return (
    <div className={styles.context} ref={box}>
      {hit.source?.path && <p className={styles.path}>{hit.source.path}</p>}
      {lines.map((r) => {
        const isHit = r === hit;
        return (
          <div
            key={`${r.index}/${r.id}`}
            ref={isHit ? here : undefined}
            data-level={levelOf(r.level) ?? undefined}
            className={cx(styles.near, isHit && styles.here)}
            aria-current={isHit || undefined}
          >
            <button type="button" className={styles.nearTime} disabled={isHit || !onOpen} onClick={() => onOpen?.(r)}>
              {clock(r.t)}
            </button>
            <span className={styles.nearLevel}>{levelOf(r.level) ?? r.level}</span>
            <span className={styles.nearText}>
              <Message text={r.message} hits={hits} flat />
              {r.stack && <span className={styles.nearStack}> ⤷ {r.stack.split('\n', 1)[0]}</span>}
            </span>
          </div>
        );
      })}
      {lines.length === 1 && <p className={styles.note}>{t.event.none}</p>}
    </div>
  );
}
