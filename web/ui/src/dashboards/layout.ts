// Places on the grid of 48 columns. While a dashboard is edited panels never overlap, and fall up as far as they can.

import type { Dashboard, Grid, Panel, Section } from './api';

export const columns = 48;
export const rowHeight = 20;
export const gap = 8;

export function isSection(p: Panel | Section): p is Section {
  return Array.isArray((p as Section).panels);
}

export function panelsOf(d: Dashboard): Panel[] {
  return d.panels.flatMap((p) => (isSection(p) ? p.panels : [p]));
}

function hits(a: Grid, b: Grid): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

export function clamped(g: Grid): Grid {
  const w = Math.min(columns, Math.max(4, g.w));
  return { x: Math.min(columns - w, Math.max(0, g.x)), y: Math.max(0, g.y), w, h: Math.min(200, Math.max(3, g.h)) };
}

/** One panel put at a place: those it covers move down, then all fall up. The one that moved goes first where it stands. */
export function placed<P extends { id: string; grid: Grid }>(list: P[], id: string, at: Grid): P[] {
  const moved = clamped(at);
  const rest = list.filter((p) => p.id !== id).sort((a, b) => a.grid.y - b.grid.y || a.grid.x - b.grid.x);
  const done: { id: string; grid: Grid }[] = [];
  const settle = (item: { id: string; grid: Grid }) => {
    let g = { ...item.grid };
    while (g.y > 0 && !done.some((o) => hits({ ...g, y: g.y - 1 }, o.grid))) g = { ...g, y: g.y - 1 };
    while (done.some((o) => hits(g, o.grid))) g = { ...g, y: g.y + 1 };
    done.push({ id: item.id, grid: g });
  };
  let waiting = true;
  for (const p of rest) {
    if (waiting && p.grid.y >= moved.y) {
      settle({ id, grid: moved });
      waiting = false;
    }
    settle(p);
  }
  if (waiting) settle({ id, grid: moved });
  const at2 = new Map(done.map((d) => [d.id, d.grid]));
  return list.map((p) => ({ ...p, grid: at2.get(p.id) ?? p.grid }));
}

/** The first place below everything where a panel of a size fits. */
export function freePlace(list: { grid: Grid }[], w: number, h: number): Grid {
  for (let y = 0; ; y++) {
    for (let x = 0; x + w <= columns; x++) {
      const g = { x, y, w, h };
      if (!list.some((p) => hits(g, p.grid))) return g;
    }
  }
}

export function bottom(list: { grid: Grid }[]): number {
  return list.reduce((b, p) => Math.max(b, p.grid.y + p.grid.h), 0);
}
