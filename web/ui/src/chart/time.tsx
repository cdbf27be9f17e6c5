// Values over time: lines, areas or bars, side by side, stacked or as shares. All charts with one sync key share a crosshair; dragging
// chooses a range. A hidden table tells the same in text.

import { useEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { usePrefs } from '../prefs';
import { clock, day, stamp } from '../time';
import styles from './chart.module.css';
import { type Chart, type Series, stackOf } from './data';
import { axisText, valueText } from './format';

interface Props {
  chart: Chart;
  kind: 'line' | 'area' | 'bar';
  stack: 'none' | 'stacked' | 'percent';
  from: number;
  to: number;
  label: string;
  /** Charts of one key move their crosshairs together. */
  sync?: string;
  onRange?(from: number, to: number): void;
}

interface Hover {
  index: number;
  left: number;
}

function rowsOf(p: Props): uPlot.AlignedData {
  const { chart, stack } = p;
  const half = p.kind === 'bar' ? chart.step / 2 : 0;
  const xs = chart.xs.map((x) => Number(x) + half);
  if (stack === 'none') return [xs, ...chart.series.map((s) => s.values)] as uPlot.AlignedData;
  return [xs, ...stackOf(chart.series, stack === 'percent').reverse()] as uPlot.AlignedData;
}

export function TimeChart(p: Props) {
  const { theme, lang } = usePrefs();
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [hover, setHover] = useState<Hover | null>(null);
  const latest = useRef(p);
  latest.current = p;
  const data = useMemo(() => rowsOf(p), [p]);
  const shape = `${p.kind} ${p.stack} ${p.sync ?? ''} ${p.chart.series.map((s) => s.name + s.color).join()}`;

  // biome-ignore lint/correctness/useExhaustiveDependencies: built again when the series or the colours change, not the numbers
  useEffect(() => {
    const el = box.current;
    if (!el) return;
    const u = new uPlot(optionsOf(el, latest, setHover, lang), data, el);
    plot.current = u;
    const seen = new ResizeObserver(([e]) =>
      u.setSize({ width: Math.max(40, e.contentRect.width), height: Math.max(40, e.contentRect.height) }),
    );
    seen.observe(el);
    return () => {
      seen.disconnect();
      u.destroy();
      plot.current = null;
    };
  }, [shape, theme, lang]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the range moves the axis
  useEffect(() => {
    plot.current?.setData(data);
  }, [data, p.from, p.to]);

  return (
    <div className={styles.time}>
      <div ref={box} className={styles.plot} role="img" aria-label={p.label} />
      {hover && <Tip p={p} hover={hover} width={box.current?.clientWidth ?? 0} />}
      <Twin chart={p.chart} label={p.label} />
    </div>
  );
}

function Tip({ p, hover, width }: { p: Props; hover: Hover; width: number }) {
  const { lang } = usePrefs();
  const x = Number(p.chart.xs[hover.index]);
  if (Number.isNaN(x)) return null;
  const shown = p.chart.series
    .filter((s) => s.values[hover.index] !== null && (s.values[hover.index] !== 0 || p.chart.series.length < 4))
    .slice(0, 12);
  return (
    <div className={styles.tip} style={{ left: hover.left }} data-right={hover.left > width / 2 || undefined}>
      <div className={styles.tipTime}>{stamp(x)}</div>
      {shown.map((s) => (
        <div key={s.name} className={styles.tipRow}>
          <i style={{ background: `var(${s.color})` }} />
          <span>{s.name}</span>
          <b>{valueText(s.values[hover.index], s.column, lang)}</b>
        </div>
      ))}
    </div>
  );
}

/** Rows of the table twin: the newest of them when there are more. */
const twinRows = 60;

function Twin({ chart, label }: { chart: Chart; label: string }) {
  const first = Math.max(0, chart.xs.length - twinRows);
  return (
    <div className="sr">
      <table>
        <caption>{label}</caption>
        <thead>
          <tr>
            <th>{chart.x?.name ?? ''}</th>
            {chart.series.map((s) => (
              <th key={s.name}>{s.name}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {chart.xs.slice(first).map((x, i) => (
            <tr key={String(x)}>
              <td>{stamp(Number(x))}</td>
              {chart.series.map((s) => (
                <td key={s.name}>{s.values[first + i]}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function optionsOf(
  box: HTMLElement,
  latest: { current: Props },
  setHover: (h: Hover | null) => void,
  lang: 'en' | 'ko',
): uPlot.Options {
  const css = getComputedStyle(box);
  const color = (name: string) => css.getPropertyValue(name).trim();
  const font = `11px ${css.getPropertyValue('--font-ui')}`;
  const { chart, stack, sync } = latest.current;
  const drawn = stack === 'none' ? chart.series : [...chart.series].reverse();
  const percent = stack === 'percent';
  return {
    width: Math.max(40, box.clientWidth),
    height: Math.max(40, box.clientHeight),
    ms: 1,
    padding: [8, 12, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { show: stack === 'none', size: 6 },
      drag: { x: latest.current.onRange !== undefined, y: false, setScale: false },
      ...(sync ? { sync: { key: sync, setSeries: false } } : {}),
    },
    scales: {
      x: { time: true, range: () => [latest.current.from, latest.current.to] },
      y: {
        range: (_u, min, max) => (percent ? [0, 1] : [Math.min(0, min ?? 0), (max ?? 0) > 0 ? (max ?? 1) * 1.06 : 1]),
      },
    },
    axes: [
      {
        stroke: color('--text3'),
        font,
        size: 22,
        gap: 3,
        grid: { show: false },
        ticks: { show: true, stroke: color('--border'), size: 4 },
        space: 80,
        values: (_u, splits) => axisTimes(splits),
      },
      {
        stroke: color('--text3'),
        font,
        size: 48,
        gap: 4,
        space: 30,
        grid: { stroke: color('--border'), width: 1 },
        ticks: { show: false },
        values: (_u, splits) =>
          splits.map((v) => (percent ? `${Math.round(v * 100)}%` : axisText(v, chart.series[0]?.column, lang))),
      },
    ],
    series: [{}, ...drawn.map((s) => seriesOptions(s, latest.current, color))],
    hooks: {
      setSelect: [
        (u) => {
          const { onRange } = latest.current;
          if (u.select.width < 4 || !onRange) return;
          const a = u.posToVal(u.select.left, 'x');
          const b = u.posToVal(u.select.left + u.select.width, 'x');
          u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          onRange(Math.round(a), Math.round(b));
        },
      ],
      setCursor: [
        (u) => {
          const { idx, left } = u.cursor;
          const own = u.over.matches(':hover'); // a crosshair led by another chart shows no box
          const at = left ?? -1;
          setHover(
            !own || idx === null || idx === undefined || at < 0 ? null : { index: idx, left: u.over.offsetLeft + at },
          );
        },
      ],
    },
  };
}

function seriesOptions(s: Series, p: Props, color: (name: string) => string): uPlot.Series {
  const c = color(s.color);
  if (p.kind === 'bar') {
    const side = p.stack === 'none' && p.chart.series.length > 1;
    return {
      fill: side ? `${c}b0` : c,
      stroke: c,
      width: 0,
      paths: uPlot.paths.bars?.({ size: [0.9, 60], gap: 1, align: 0 }),
      points: { show: false },
    };
  }
  const area = p.kind === 'area';
  return {
    stroke: c,
    width: 1.5,
    fill: area ? (p.stack === 'none' ? `${c}2e` : c) : undefined,
    points: { show: p.chart.xs.length < 3 },
    spanGaps: true,
  };
}

/** The clock, as fine as the steps need; the day where it changes. */
function axisTimes(splits: number[]): string[] {
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
