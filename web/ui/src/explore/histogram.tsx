// Events over time, stacked by level or by another field. Dragging chooses a range; a hidden table tells the same in text.

import { useEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Histogram as Data } from '../api';
import { number, useT } from '../i18n';
import { usePrefs } from '../prefs';
import { clock, day, stamp } from '../time';
import styles from './histogram.module.css';
import { type Series, seriesOf } from './series';

const height = 84;

interface Props {
  data: Data;
  from: number;
  to: number;
  dim: boolean;
  onRange(from: number, to: number): void;
}

interface Hover {
  index: number;
  left: number;
}

export default function Histogram({ data, from, to, dim, onRange }: Props) {
  const t = useT();
  const { theme, lang } = usePrefs();
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [hover, setHover] = useState<Hover | null>(null);
  const series = useMemo(() => seriesOf(data), [data]);
  const range = useRef({ from, to, onRange, step: data.interval_ms });
  range.current = { from, to, onRange, step: data.interval_ms };
  const shape = series.map((s) => s.name + s.color).join();

  // biome-ignore lint/correctness/useExhaustiveDependencies: built again when the series or the colours change, not the numbers
  useEffect(() => {
    if (!box.current) return;
    const u = new uPlot(optionsOf(box.current, series, range, setHover), stacked(data, series), box.current);
    plot.current = u;
    const seen = new ResizeObserver(([e]) => u.setSize({ width: Math.max(40, e.contentRect.width), height }));
    seen.observe(box.current);
    return () => {
      seen.disconnect();
      u.destroy();
      plot.current = null;
    };
  }, [shape, theme, lang]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the range moves the axis
  useEffect(() => {
    plot.current?.setData(stacked(data, series));
  }, [data, series, from, to]);

  const at = hover && data.buckets[hover.index];
  return (
    <div className={styles.wrap} data-dim={dim || undefined}>
      <div ref={box} className={styles.plot} role="img" aria-label={t.explore.histogram} />
      {hover && at && (
        <div
          className={styles.tip}
          style={{ left: hover.left }}
          data-right={hover.left > (box.current?.clientWidth ?? 0) / 2 || undefined}
        >
          <div className={styles.tipTime}>
            {stamp(at.t)} – {stamp(at.t + data.interval_ms).slice(11)}
          </div>
          {series
            .filter((s) => s.values[hover.index] > 0)
            .map((s) => (
              <div key={s.name} className={styles.tipRow}>
                <i style={{ background: `var(${s.color})` }} />
                <span>{s.name}</span>
                <b>{number(s.values[hover.index], lang)}</b>
              </div>
            ))}
        </div>
      )}
      <div className="sr">
        <table>
          <caption>{t.explore.histogram}</caption>
          <thead>
            <tr>
              <th>{t.explore.bucket}</th>
              <th>{t.explore.count}</th>
            </tr>
          </thead>
          <tbody>
            {data.buckets.map((b) => (
              <tr key={b.t}>
                <td>{stamp(b.t)}</td>
                <td>{b.n}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

/** Times in the middle of their bucket, and each series on top of those below; drawn from the tallest to the lowest. */
function stacked(data: Data, series: Series[]): uPlot.AlignedData {
  const xs = data.buckets.map((b) => b.t + data.interval_ms / 2);
  const sums = data.buckets.map(() => 0);
  const layers = series.map((s) => s.values.map((v, i) => (sums[i] += v)));
  return [xs, ...layers.reverse()] as uPlot.AlignedData;
}

type RangeRef = { current: { from: number; to: number; step: number; onRange(from: number, to: number): void } };

function optionsOf(
  box: HTMLElement,
  series: Series[],
  range: RangeRef,
  setHover: (h: Hover | null) => void,
): uPlot.Options {
  const css = getComputedStyle(box);
  const color = (name: string) => css.getPropertyValue(name).trim();
  const font = `11px ${css.getPropertyValue('--font-ui')}`;
  const bars = uPlot.paths.bars?.({ size: [1, 60], gap: 1, align: 0 });
  return {
    width: Math.max(40, box.clientWidth),
    height,
    ms: 1,
    padding: [6, 12, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
    scales: {
      x: { time: true, range: () => [range.current.from, range.current.to] },
      y: { range: (_u, _min, max) => [0, Math.max(1, max) * 1.05] },
    },
    axes: [
      {
        stroke: color('--text3'),
        font,
        size: 20,
        gap: 2,
        grid: { show: false },
        ticks: { show: true, stroke: color('--border'), size: 4 },
        space: 90,
        values: (_u, splits) => axisLabels(splits),
      },
      {
        stroke: color('--text3'),
        font,
        size: 44,
        gap: 4,
        space: 26,
        grid: { stroke: color('--border'), width: 1 },
        ticks: { show: false },
        incrs: [
          1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 1e8, 1e9,
        ],
        values: (_u, splits) => splits.map((v) => (v >= 1e6 ? `${v / 1e6}M` : v >= 1e4 ? `${v / 1e3}k` : String(v))),
      },
    ],
    series: [
      {},
      ...[...series].reverse().map((s) => ({
        fill: color(s.color),
        stroke: color(s.color),
        width: 0,
        paths: bars,
        points: { show: false },
      })),
    ],
    hooks: {
      setSelect: [
        (u) => {
          if (u.select.width < 4) return;
          const a = u.posToVal(u.select.left, 'x');
          const b = u.posToVal(u.select.left + u.select.width, 'x');
          u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          range.current.onRange(Math.round(a), Math.round(b));
        },
      ],
      setCursor: [
        (u) => {
          const { idx, left } = u.cursor;
          const over = u.over.offsetLeft;
          setHover(
            idx === null || idx === undefined || (left ?? -1) < 0 ? null : { index: idx, left: over + (left ?? 0) },
          );
        },
      ],
    },
  };
}

/** The clock, as fine as the steps need; the day where it changes. */
function axisLabels(splits: number[]): string[] {
  const step = splits.length > 1 ? splits[1] - splits[0] : 60_000;
  let before = '';
  return splits.map((ms) => {
    const d = day(ms).slice(5);
    const c = clock(ms);
    const text = step >= 86_400_000 ? d : step >= 60_000 ? c.slice(0, 5) : step >= 1000 ? c.slice(0, 8) : c.slice(3);
    const withDay = before !== '' && before !== d && step < 86_400_000 ? d : text;
    before = d;
    return withDay;
  });
}
