// Which timers end connections next, and how many another idle timeout would close: counted, not estimated.
import { useSignal } from '@preact/signals';
import type { Deadlines, DeadlineKind } from '../api/types';
import { formatDuration, formatInt } from '../lib/format';
import { kDeadlines } from '../lib/vocabulary';
import { placeHref } from '../state/router';
import { Canvas, type Brush } from '../ui/canvas';
import { ChartPanel } from '../ui/chart-panel';
import { Skeleton } from '../ui/parts';

const kColour: Record<DeadlineKind, string> = { handshake: '--st-t', first_request: '--st-r', head: '--st-r', body: '--st-b', handler: '--st-h', write: '--st-w', idle: '--fill', ping: '--c-network', max_age: '--st-d' };

type Elapsed = Deadlines['elapsed'][string];

/** How many have waited at least this long (whole seconds): what a timeout of that length would close now. */
export function wouldClose(elapsed: Elapsed | undefined, seconds: number): number {
  if (!elapsed) return 0;
  return elapsed.counts.slice(Math.max(0, Math.ceil(seconds))).reduce((sum, n) => sum + n, 0) + elapsed.over;
}

export function DeadlinePanel({ deadlines }: { deadlines: Deadlines | null }) {
  const chosen = useSignal<number | null>(null);
  const idle = deadlines?.elapsed.idle;
  const configured = idle?.timeout_seconds ?? 60;
  const most = Math.max(2, Math.min(idle?.counts.length ?? 60, Math.ceil(configured)));
  const seconds = Math.min(chosen.value ?? Math.round(configured / 2), most);
  const count = wouldClose(idle, seconds);
  const kinds = kDeadlines.filter((kind) => (deadlines?.by_kind[kind] ?? 0) > 0);
  const summary = `${formatInt(deadlines?.total)} connections: ${kinds.map((kind) => `${kind} ${formatInt(deadlines?.by_kind[kind])}`).join(', ')}. With an idle timeout of ${formatDuration(seconds)}, ${formatInt(count)} would close now.`;
  const window = deadlines?.window_seconds ?? 60;
  return (
    <ChartPanel
      title={`Deadlines in the next ${window} s`}
      sub="each connection has exactly one"
      summary={summary}
      cls="deadline-panel"
      table={{ head: ['seconds left', ...kinds], rows: () => Array.from({ length: window }, (_, s) => [`${s}–${s + 1}`, ...kinds.map((kind) => formatInt(deadlines?.left[kind]?.[s] ?? 0))]) }}
      controls={deadlines ? (
        <>
          <p class="legend wide">
            {kinds.map((kind) => (
              <a key={kind} href={placeHref('connections', { query: `timer:${kind}`, sort: 'deadline', order: 'asc' })}>
                <Swatch kind={kind} /> {kind} <b>{formatInt(deadlines.by_kind[kind])}</b>
              </a>
            ))}
            {deadlines.none ? <span>without one <b>{formatInt(deadlines.none)}</b></span> : null}
          </p>
          <label class="what-if">
            <span>If idle were</span>
            <input type="range" min={1} max={most} step={1} value={seconds} aria-valuetext={`${formatDuration(seconds)}: ${formatInt(count)} would close now`} onInput={(event) => (chosen.value = Number(event.currentTarget.value))} />
            <output>
              <b>{formatDuration(seconds)}</b> would close <a href={placeHref('connections', { query: `unused>=${seconds}s`, sort: 'idle' })}><b>{formatInt(count)}</b></a> now
            </output>
          </label>
        </>
      ) : null}
    >
      {deadlines ? <Canvas class="deadline-chart" role="img" aria-label={summary} draw={(brush) => paint(brush, deadlines, configured - seconds)} /> : <Skeleton rows={6} />}
    </ChartPanel>
  );
}

function Swatch({ kind }: { kind: DeadlineKind }) {
  return <i class={`swatch dl-${kind}`} aria-hidden="true" />;
}

/** `mark`: deadlines nearer than this (seconds) would already be over under the timeout on the slider. */
function paint({ context, width, height, token }: Brush, data: Deadlines, mark: number): void {
  const window = data.window_seconds;
  const sums = Array.from({ length: window }, (_, s) => kDeadlines.reduce((sum, kind) => sum + (data.left[kind]?.[s] ?? 0), 0));
  const top = Math.max(1, ...sums);
  const bottom = height - 18;
  const x = (s: number) => Math.round((s / window) * width);
  for (let s = 0; s < window; s += 1) {
    let base = bottom;
    for (const kind of [...kDeadlines].sort((a) => (a === 'idle' ? -1 : 1))) {
      const count = data.left[kind]?.[s] ?? 0;
      if (count === 0) continue;
      const tall = Math.max(1, (count / top) * (bottom - 18));
      context.fillStyle = kind === 'idle' && s < mark ? token('--fill-2') : token(kColour[kind]);
      context.fillRect(x(s), base - tall, Math.max(1, x(s + 1) - x(s) - 1), tall);
      base -= tall;
    }
  }
  context.font = `11px ${token('--font-ui')}`;
  context.fillStyle = token('--text-3');
  context.strokeStyle = token('--line');
  context.beginPath();
  context.moveTo(0, bottom + 0.5);
  context.lineTo(width, bottom + 0.5);
  context.stroke();
  context.textBaseline = 'bottom';
  for (const s of [0, window / 4, window / 2, (3 * window) / 4, window]) {
    context.textAlign = s === 0 ? 'left' : s === window ? 'right' : 'center';
    context.fillText(s === 0 ? 'now' : `${Math.round(s)} s`, x(s), height);
  }
  if (mark <= 0 || mark >= window) return;
  context.setLineDash([3, 3]);
  context.strokeStyle = token('--now');
  context.beginPath();
  context.moveTo(x(mark) - 0.5, 0);
  context.lineTo(x(mark) - 0.5, bottom);
  context.stroke();
  context.setLineDash([]);
  context.textBaseline = 'top';
  context.fillStyle = token('--text-2');
  context.textAlign = x(mark) > 90 ? 'right' : 'left';
  context.fillText(x(mark) > 90 ? 'would close now' : '', x(mark) - 6, 0);
  context.textAlign = 'left';
  if (width - x(mark) > 70) context.fillText('would stay', x(mark) + 6, 0);
}
