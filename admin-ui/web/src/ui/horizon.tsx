// The band above every screen: requests of the last 15 minutes, what changed in them, and the present moment.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Change } from '../api/types';
import { formatInt, formatTime, plural } from '../lib/format';
import { rangeWords } from '../lib/series';
import { kChangeMarks } from '../lib/vocabulary';
import { changeHref } from '../screens/overview';
import { changes, clock, dataAt, link, paused, ring, ringTick, serverNow, skew } from '../state/live';
import { horizonOpen } from '../state/windows';
import { Canvas, type Brush } from './canvas';
import { TableView } from './chart-panel';
import { Dialog } from './dialog';
import { Kbd } from './parts';
import { hairline } from './time-chart';

const kSpan = 900;

/** Wider than the 24 px that a pointer target needs (WCAG 2.2, 2.5.8); the marks are that wide in app.css. */
const kMarkGap = 25;

/** Marks that would cover each other become one: the newest stays, the count says how many. */
export function placeMarks(list: readonly Change[], now: number, width: number, gap = kMarkGap): { change: Change; x: number; more: number }[] {
  const placed: { change: Change; x: number; more: number }[] = [];
  for (const change of [...list].sort((a, b) => b.at - a.at)) {
    const raw = ((change.at - (now - kSpan)) / kSpan) * width;
    if (raw < 0) break;
    const x = Math.min(raw, width - gap / 2);
    const last = placed.at(-1);
    if (last && last.x - x < gap) last.more += 1;
    else placed.push({ change, x, more: 0 });
  }
  return placed;
}

export function Horizon() {
  void ringTick.value;
  void clock.value;
  const width = useSignal(800);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => (width.value = element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const hair = hairline.value;
  const now = serverNow();
  const marks = placeMarks(changes.value, now, width.value);
  const values = ring.bins('requests', 5, 'sum');
  const summary = `Requests in 5 s over the last 15 minutes: ${rangeWords(values, formatInt)}; ${plural(changes.value.length, 'event')}.`;
  const draw = ({ context, width: w, height: h, token }: Brush) => paintHorizon(context, w, h, token, values, now, hair);
  return (
    <div class="horizon" role="region" aria-label="The last 15 minutes">
      <div class="horizon-line" ref={box}>
        <Canvas class="horizon-canvas" draw={draw} role="img" aria-label={summary} />
        {marks.map(({ change, x, more }) => {
          const mark = kChangeMarks[change.kind] ?? { letter: '?', look: 'info' as const };
          return (
            <a key={change.id} class="event" style={{ left: `${x}px` }} href={changeHref(change)} title={`${formatTime(change.at)} ${change.text}`} aria-label={`${formatTime(change.at)} ${change.text}${more ? `, and ${more} more just before` : ''}`}>
              <span class={`mark look-${mark.look}`}>{mark.letter}</span>
            </a>
          );
        })}
      </div>
      <button class="horizon-table small" onClick={() => (horizonOpen.value = true)}>Show as table</button>
      <div class="playhead"><b>{link.value === 'live' ? (paused.value ? 'PAUSED' : 'LIVE') : link.value === 'full' ? 'NOT LIVE' : 'OLD'}</b><span title="UTC">{formatTime(link.value === 'live' ? now : dataAt.value ? dataAt.value + skew.value : null)}</span></div>
    </div>
  );
}

function paintHorizon(context: CanvasRenderingContext2D, width: number, height: number, token: (name: string) => string, values: (number | null)[], now: number, hair: number | null): void {
  const bottom = height - 15;
  const most = Math.max(1, ...values.map((v) => v ?? 0));
  context.strokeStyle = token('--text-3');
  context.lineWidth = 1;
  context.beginPath();
  let pen = false;
  values.forEach((value, i) => {
    if (value === null) {
      pen = false;
      return;
    }
    const x = (i / (values.length - 1)) * width;
    const y = bottom - 2 - (value / most) * (bottom - 16);
    if (pen) context.lineTo(x, y);
    else context.moveTo(x, y);
    pen = true;
  });
  context.stroke();
  context.fillStyle = token('--line-strong');
  context.fillRect(0, bottom, width, 1);
  context.font = `11px ${token('--font-ui')}`;
  context.fillStyle = token('--text-3');
  context.textAlign = 'center';
  const every = width < 500 ? 300 : 120;
  for (let at = Math.ceil((now - kSpan) / every) * every; at < now - 30; at += every) {
    const x = ((at - (now - kSpan)) / kSpan) * width;
    context.fillRect(x, bottom, 1, 3);
    if (x > 16) context.fillText(formatTime(at).slice(0, 5), x, height - 2);
  }
  if (hair !== null && hair >= now - kSpan) {
    context.fillStyle = token('--now');
    context.fillRect(((hair - (now - kSpan)) / kSpan) * width, 0, 1, bottom);
  }
  context.fillStyle = token('--now');
  context.fillRect(width - 2, 0, 2, bottom + 4);
}

const kTableStep = 15;

/** What the line shows, and what the marks on it say. */
export function HorizonTable() {
  void ringTick.value;
  const close = () => (horizonOpen.value = false);
  const title = 'The last 15 minutes';
  const requests = ring.bins('requests', kTableStep, 'sum');
  const eventsIn = (from: number) => changes.value.filter(({ at }) => at >= from && at < from + kTableStep).map((change) => <a key={change.id} class="line" href={changeHref(change)}>{formatTime(change.at)} {change.text}</a>);
  const rows = () => ring.steps(kTableStep).map((at, i) => [formatTime(at), formatInt(requests[i]), eventsIn(at)]).reverse();
  return (
    <Dialog label={title} onClose={close} cls="tabular">
      <h2>{title}</h2>
      <TableView title={title} summary={`Requests in ${kTableStep} s: ${rangeWords(requests, formatInt)}.`} table={{ head: ['from', 'requests', 'what changed'], rows }} />
      <div class="dialog-actions"><button onClick={close}>Close <Kbd>Esc</Kbd></button></div>
    </Dialog>
  );
}
