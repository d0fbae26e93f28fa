// Time series by uPlot: stacked areas or bars, labelled at their end, one hairline shared by every chart on the page.
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { formatTime } from '../lib/format';
import { isDark } from '../state/prefs';

export interface ChartSeries {
  label: string;
  /** Colour token. */
  token: string;
  values: (number | null)[];
  mark?: string;
}

interface Props {
  times: number[];
  series: ChartSeries[];
  kind: 'area' | 'bars';
  height: number;
  format: (value: number) => string;
  label: string;
}

/** The moment under the pointer, Unix seconds, or null. */
export const hairline = signal<number | null>(null);

/** Sums from the first series upwards; a gap in all of them stays a gap. */
export function stack(series: readonly (number | null)[][]): (number | null)[][] {
  const sums: (number | null)[][] = [];
  series.forEach((values, n) => {
    sums.push(values.map((value, i) => {
      const below = n === 0 ? 0 : (sums[n - 1]?.[i] ?? null);
      if (value === null && (n === 0 || below === null)) return null;
      return (below ?? 0) + (value ?? 0);
    }));
  });
  return sums;
}

export function TimeChart({ times, series, kind, height, format, label }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const latest = useRef({ series, format });
  latest.current = { series, format };
  const dark = isDark();
  const shape = series.map((s) => s.label).join();

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const style = getComputedStyle(element);
    const token = (name: string) => style.getPropertyValue(name).trim();
    const font = `11px ${token('--font-ui')}`;
    const axis = { stroke: token('--text-3'), font, ticks: { show: false }, grid: { stroke: token('--line'), width: 1 } };
    // Drawn from the top of the stack down, so that every lower one covers what is not its own.
    const bars = uPlot.paths.bars?.({ size: [0.86, 40], align: 1 });
    const drawn = series.map((one) => ({
      label: one.label,
      // Among several the seam between two is seen; a lone one is seen at nought as well.
      stroke: token(kind === 'area' && series.length === 1 ? one.token : '--panel'),
      width: kind === 'bars' ? 0 : 1,
      fill: token(one.token),
      points: { show: false },
      ...(kind === 'bars' && bars ? { paths: bars } : {}),
    }));
    const plot = new uPlot(
      {
        width: element.clientWidth || 300,
        height,
        padding: [8, 72, 0, 0],
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
        scales: {
          // A bar stands to the right of its moment: the last one needs room too.
          x: { time: true, range: (u, min, max) => [min, kind === 'bars' ? max + ((u.data[0][1] ?? 0) - (u.data[0][0] ?? 0)) : max] },
          y: { range: (_u, _min, max) => [0, max > 0 ? max * 1.08 : 1] },
        },
        axes: [
          { ...axis, grid: { show: false }, size: 22, gap: 4, space: 70, values: (_u, ticks) => ticks.map((tick) => formatTime(tick).slice(0, 5)) },
          { ...axis, size: 58, gap: 6, space: 40, values: (_u, ticks) => ticks.map((tick) => latest.current.format(tick)) },
        ],
        series: [{}, ...drawn.reverse()],
        hooks: {
          setCursor: [
            (u) => {
              const left = u.cursor.left ?? -1;
              if (document.activeElement === null || left < 0) return;
              if (u.over.matches(':hover')) hairline.value = u.posToVal(left, 'x');
            },
          ],
          draw: [(u) => drawEndLabels(u, latest.current.series, token)],
        },
      },
      [[], ...series.map(() => [])],
      element,
    );
    plot.over.addEventListener('mouseleave', () => (hairline.value = null));
    chart.current = plot;
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    const stopHair = hairline.subscribe((at) => {
      if (plot.over.matches(':hover')) return;
      plot.setCursor(at === null ? { left: -10, top: -10 } : { left: plot.valToPos(at, 'x'), top: 0 }, false);
    });
    return () => {
      stopHair();
      observer.disconnect();
      plot.destroy();
      chart.current = null;
    };
  }, [shape, kind, height, dark]);

  useEffect(() => {
    chart.current?.setData([times, ...stack(series.map((one) => one.values)).reverse()] as uPlot.AlignedData);
  }, [times, series, shape, kind, height, dark]);

  return <div class="time-chart" ref={host} role="img" aria-label={label} style={{ height: `${height}px` }} />;
}

function drawEndLabels(u: uPlot, series: ChartSeries[], token: (name: string) => string): void {
  const sums = stack(series.map((one) => one.values));
  let at = (series[0]?.values.length ?? 0) - 1;
  while (at > 0 && sums.every((values) => (values[at] ?? null) === null)) at -= 1;
  const ratio = window.devicePixelRatio || 1;
  const { ctx } = u;
  ctx.save();
  ctx.font = `${11 * ratio}px ${token('--font-ui')}`;
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left';
  let lowest = Infinity;
  series.forEach((one, n) => {
    const top = sums[n]?.[at] ?? null;
    const below = n === 0 ? 0 : (sums[n - 1]?.[at] ?? 0);
    const seen = one.values.some((value) => value !== null && value > 0);
    if (top === null || !seen) return;
    const y = Math.min(u.valToPos((top + below) / 2, 'y', true), lowest - 12 * ratio);
    if (y < 6 * ratio) return;
    lowest = y;
    // A lone one has nothing to be told from: its name is text like any other.
    ctx.fillStyle = token(series.length === 1 ? '--text-2' : one.token);
    ctx.fillText(`${one.mark ? `${one.mark} ` : ''}${one.label}`, u.bbox.left + u.bbox.width + 6 * ratio, y);
  });
  ctx.restore();
}
