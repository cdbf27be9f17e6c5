import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef } from 'react';
import { bytes, useT } from '../i18n';
import { type JsonToken, pretty } from '../json';
import styles from './detail.module.css';

/** Characters of one string drawn; copying takes all of it. */
const shownChars = 2000;
/** Up to here the lines simply stand in the page; above, only those in view are drawn. */
const plainLines = 200;
const lineHeight = 20;

export function JsonView({ source }: { source: JsonToken[] }) {
  const lines = useMemo(() => pretty(source), [source]);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: lines.length,
    enabled: lines.length > plainLines,
    getScrollElement: () => scroller.current,
    estimateSize: () => lineHeight,
    overscan: 20,
  });
  if (lines.length <= plainLines) {
    return (
      <pre className={styles.json}>
        {lines.map((l, i) => (
          <Line key={i} depth={l.depth} tokens={l.tokens} />
        ))}
      </pre>
    );
  }
  return (
    <div ref={scroller} className={styles.jsonScroller}>
      <pre className={styles.json} style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map((v) => (
          <div
            key={v.key}
            data-index={v.index}
            ref={virtual.measureElement}
            className={styles.jsonSlot}
            style={{ transform: `translateY(${v.start}px)` }}
          >
            <Line depth={lines[v.index].depth} tokens={lines[v.index].tokens} />
          </div>
        ))}
      </pre>
    </div>
  );
}

function Line({ depth, tokens }: { depth: number; tokens: JsonToken[] }) {
  const t = useT();
  return (
    <div style={{ paddingLeft: `${depth * 2}ch` }} className={styles.jsonLine}>
      {tokens.map((k, i) => {
        const long = k.text.length > shownChars;
        return (
          <span key={i} data-json={k.kind}>
            {long ? k.text.slice(0, shownChars) : k.text}
            {k.kind === 'punct' && k.text === ':' ? ' ' : ''}
            {long && <i className={styles.cut}>{t.event.cut(bytes(k.text.length - shownChars))}</i>}
          </span>
        );
      })}
    </div>
  );
}
