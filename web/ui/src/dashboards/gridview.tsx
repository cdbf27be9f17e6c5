// Panels in their places. While edited, a panel is dragged by its head and sized by its corner; with the keyboard, arrows move the
// focused handle and Shift with an arrow changes the size.

import { type KeyboardEvent, type PointerEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import type { Grid, Panel } from './api';
import styles from './grid.module.css';
import { bottom, columns, gap, placed, rowHeight } from './layout';

interface Props {
  panels: Panel[];
  edit: boolean;
  onLayout(panels: Panel[]): void;
  render(panel: Panel, handle: Handle): ReactNode;
}

/** What a panel's head needs to be moved by. */
export interface Handle {
  onPointerDown(e: PointerEvent): void;
  onKeyDown(e: KeyboardEvent): void;
}

/** Below this width panels stand one under the other. */
const narrow = 760;

interface Drag {
  id: string;
  kind: 'move' | 'size';
  x: number;
  y: number;
  from: Grid;
}

export function GridView({ panels, edit, onLayout, render }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(1200);
  const [drag, setDrag] = useState<Drag | null>(null);
  const [at, setAt] = useState<Grid | null>(null);
  useEffect(() => {
    if (!box.current) return;
    const seen = new ResizeObserver(([e]) => setWidth(e.contentRect.width));
    seen.observe(box.current);
    return () => seen.disconnect();
  }, []);
  const column = (width + gap) / columns;
  const row = rowHeight + gap;
  const shown = drag && at ? placed(panels, drag.id, at) : panels;
  const stacked = width < narrow;

  const begin = (p: Panel, kind: Drag['kind']) => (e: PointerEvent) => {
    if (!edit || stacked || e.button !== 0 || (e.target as HTMLElement).closest('button,input,a')) return;
    e.preventDefault();
    setDrag({ id: p.id, kind, x: e.clientX, y: e.clientY, from: p.grid });
    setAt(p.grid);
  };
  useEffect(() => {
    if (!drag) return;
    const gridAt = (e: globalThis.PointerEvent): Grid => {
      const dx = Math.round((e.clientX - drag.x) / column);
      const dy = Math.round((e.clientY - drag.y) / row);
      const f = drag.from;
      return drag.kind === 'move' ? { ...f, x: f.x + dx, y: f.y + dy } : { ...f, w: f.w + dx, h: f.h + dy };
    };
    const move = (e: globalThis.PointerEvent) => setAt(gridAt(e));
    const stop = (e: globalThis.PointerEvent) => {
      setDrag(null);
      setAt(null);
      const g = gridAt(e);
      if (JSON.stringify(g) !== JSON.stringify(drag.from)) onLayout(placed(panels, drag.id, g));
    };
    const cancel = () => {
      setDrag(null);
      setAt(null);
    };
    addEventListener('pointermove', move);
    addEventListener('pointerup', stop);
    addEventListener('pointercancel', cancel);
    return () => {
      removeEventListener('pointermove', move);
      removeEventListener('pointerup', stop);
      removeEventListener('pointercancel', cancel);
    };
  }, [drag, column, row, panels, onLayout]);

  const onKeyDown = (p: Panel) => (e: KeyboardEvent) => {
    const step: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const d = step[e.key];
    if (!d || !edit) return;
    e.preventDefault();
    e.stopPropagation();
    const g = p.grid;
    const next = e.shiftKey
      ? { ...g, w: g.w + d[0], h: g.h + d[1] }
      : { ...g, x: g.x + d[0], y: d[1] > 0 ? below(panels, p) : g.y + d[1] };
    onLayout(placed(panels, p.id, next));
  };

  return (
    <div
      ref={box}
      className={styles.grid}
      data-edit={edit || undefined}
      style={{ height: stacked ? undefined : bottom(shown) * row }}
    >
      {shown.map((p) => {
        const g = p.grid;
        const place = stacked
          ? { height: g.h * row - gap }
          : {
              position: 'absolute' as const,
              left: g.x * column,
              top: g.y * row,
              width: g.w * column - gap,
              height: g.h * row - gap,
            };
        const handle = { onPointerDown: begin(p, 'move'), onKeyDown: onKeyDown(p) };
        return (
          <div
            key={p.id}
            className={styles.slot}
            data-panel={p.id}
            data-moving={drag?.id === p.id || undefined}
            style={place}
          >
            {render(p, handle)}
            {edit && !stacked && <span className={styles.corner} aria-hidden="true" onPointerDown={begin(p, 'size')} />}
          </div>
        );
      })}
    </div>
  );
}

/** One row further down, or below the panel that stands there: falling up would undo a smaller step. */
function below(panels: Panel[], p: Panel): number {
  const g = p.grid;
  const under = panels.filter(
    (o) => o.id !== p.id && o.grid.x < g.x + g.w && g.x < o.grid.x + o.grid.w && o.grid.y >= g.y + g.h,
  );
  const next = Math.min(...under.map((o) => o.grid.y + o.grid.h));
  return Number.isFinite(next) ? next - g.h + g.h : g.y + 1;
}
