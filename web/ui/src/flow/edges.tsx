// Lines between nodes: a layer below them, drawn from the places the nodes took.

import { type ReactNode, useLayoutEffect, useRef, useState } from 'react';
import styles from './page.module.css';

export interface Link {
  from: string;
  to: string;
  /** Events per second. */
  rate: number;
  /** Milliseconds the oldest waiting event has waited. */
  age: number;
}

interface Path {
  key: string;
  d: string;
  width: number;
  state: string;
  moving: boolean;
}

/** 1 pixel when nothing moves, 6 from ten thousand events a second on. */
export function widthOf(rate: number): number {
  return 1 + Math.min(5, 1.25 * Math.log10(1 + rate));
}

function pathsIn(box: HTMLElement, links: Link[]): Path[] {
  const origin = box.getBoundingClientRect();
  const places = new Map<string, DOMRect>();
  for (const el of box.querySelectorAll<HTMLElement>('[data-node]')) {
    places.set(el.dataset.node ?? '', el.getBoundingClientRect());
  }
  const head = 18; // the middle of a node's first line
  const out: Path[] = [];
  for (const l of links) {
    const a = places.get(l.from);
    const b = places.get(l.to);
    if (!a || !b) continue;
    const [x1, y1] = [a.right - origin.left, a.top - origin.top + head];
    const [x2, y2] = [b.left - origin.left, b.top - origin.top + head];
    const bend = (x2 - x1) / 2;
    out.push({
      key: `${l.from} > ${l.to}`,
      d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`,
      width: widthOf(l.rate),
      state: l.age < 5000 ? 'fresh' : l.age < 60_000 ? 'late' : 'old',
      moving: l.rate > 0,
    });
  }
  return out;
}

export function Edges({ links, className, children }: { links: Link[]; className: string; children: ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const [paths, setPaths] = useState<Path[]>([]);
  const latest = useRef(links);
  latest.current = links;

  useLayoutEffect(() => {
    const el = box.current;
    if (!el) return;
    const draw = () => setPaths(pathsIn(el, latest.current));
    const seen = new ResizeObserver(draw);
    seen.observe(el);
    return () => seen.disconnect();
  }, []);
  const text = JSON.stringify(links); // each answer makes new objects
  // biome-ignore lint/correctness/useExhaustiveDependencies: drawn again when a link changes
  useLayoutEffect(() => {
    if (box.current) setPaths(pathsIn(box.current, latest.current));
  }, [text]);

  return (
    <div ref={box} className={className}>
      <svg className={styles.edges} aria-hidden="true">
        {paths.map((p) => (
          <g key={p.key} data-state={p.state}>
            <path d={p.d} strokeWidth={p.width} className={styles.edge} />
            {p.moving && <path d={p.d} strokeWidth={1.5} className={styles.stream} />}
          </g>
        ))}
      </svg>
      {children}
    </div>
  );
}
