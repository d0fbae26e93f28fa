// Every connection at a glance: a cell is a run of slots, its letter the most urgent state in it. Own canvas, exact hit-testing.
import { useSignal } from '@preact/signals';
import type { Strip } from '../api/types';
import { formatInt } from '../lib/format';
import { cellBox, hitTest, type HeatGrid } from '../lib/heatmap';
import { kStates, kStatesByWeight, stateOfLetter } from '../lib/vocabulary';
import { go, placeHref } from '../state/router';
import { Canvas, type Brush } from '../ui/canvas';
import { ChartPanel } from '../ui/chart-panel';
import { Skeleton } from '../ui/parts';

const kLabelWidth = 64;
const kRowHeight = innerWidth >= 1900 && innerHeight >= 1200 ? 34 : 22;

function gridOf(strip: Strip, width: number): HeatGrid {
  const columns = Math.max(...strip.rows.map((row) => row.cells.length), 1);
  return { left: kLabelWidth, top: 0, width: Math.max(columns, width - kLabelWidth), height: strip.rows.length * kRowHeight, columns, rows: Math.max(1, strip.rows.length) };
}

/** Rows of the geometry count from the bottom, reactors from the top. */
const reactorAt = (strip: Strip, row: number) => strip.rows[strip.rows.length - 1 - row];

export function StripPanel({ strip, byState }: { strip: Strip | null; byState: Record<string, number> }) {
  const over = useSignal<string>('');
  const at = useSignal<{ column: number; row: number } | null>(null);
  const busy = strip?.rows.reduce((sum, row) => sum + [...row.cells].filter((c) => c !== ' ' && c !== 'I').length, 0) ?? 0;
  const summary = `${busy} runs of slots hold connections that are not idle. ${kStatesByWeight.map((s) => `${kStates[s].word} ${formatInt(byState[s] ?? 0)}`).join(', ')}.`;
  return (
    <ChartPanel
      title="Every connection, by reactor"
      sub={over.value || `A cell is a run of slots, its letter the most urgent state${(strip?.at_least ?? 1) > 1 ? ` of ${strip?.at_least ?? 1} or more` : ''}.`}
      summary={summary}
      cls="strip-panel"
      table={{ head: ['reactor', 'connections', 'cells, in order'], rows: () => (strip?.rows ?? []).map((row) => [row.reactor, formatInt(row.connections), <span class="mono">{row.cells.replaceAll(' ', '·')}</span>]) }}
      controls={
        <div class="state-sums">
          {kStatesByWeight.map((state) => (
            <a key={state} href={placeHref('connections', { query: `state:${state}` })}>
              <span class={`chip st-${kStates[state].token}`} aria-hidden="true">{kStates[state].letter}</span>
              <b>{formatInt(byState[state] ?? 0)}</b>
              <span>{kStates[state].word}</span>
            </a>
          ))}
        </div>
      }
    >
      {strip ? <Picture strip={strip} over={(text) => (over.value = text)} at={at} /> : <Skeleton rows={6} />}
    </ChartPanel>
  );
}

interface PictureProps {
  strip: Strip;
  over: (text: string) => void;
  at: { value: { column: number; row: number } | null };
}

function Picture({ strip, over, at }: PictureProps) {
  const draw = (brush: Brush) => paint(brush, strip, at.value);
  const find = (event: MouseEvent & { currentTarget: EventTarget & HTMLElement }) => {
    const box = event.currentTarget.getBoundingClientRect();
    return hitTest(gridOf(strip, box.width), event.clientX - box.left, event.clientY - box.top);
  };
  const open = (column: number, row: number) => {
    const found = reactorAt(strip, row);
    if (!found) return;
    const first = column * found.slots_per_cell;
    go('connections', { query: `reactor:${found.reactor} slot>=${first} slot<${first + found.slots_per_cell}` });
  };
  const describe = (column: number, row: number): string => {
    const found = reactorAt(strip, row);
    const state = stateOfLetter(found?.cells[column] ?? ' ');
    return found ? `Reactor ${found.reactor}, run ${column + 1}: ${state ? kStates[state].word : 'nobody'}` : '';
  };
  return (
    <Canvas
      class="strip"
      draw={draw}
      style={{ height: `${strip.rows.length * kRowHeight}px` }}
      tabIndex={0}
      role="application"
      aria-label={`Connections by reactor. Arrows walk the cells, Enter opens one. ${at.value ? describe(at.value.column, at.value.row) : ''}`}
      onMouseMove={(event) => {
        const cell = find(event);
        over(cell ? describe(cell.column, cell.row) : '');
      }}
      onMouseLeave={() => over('')}
      onClick={(event) => {
        const cell = find(event);
        if (cell) open(cell.column, cell.row);
      }}
      onKeyDown={(event) => {
        const columns = gridOf(strip, 1000).columns;
        const now = at.value ?? { column: 0, row: strip.rows.length - 1 };
        const moves: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
        const move = moves[event.key];
        if (move) {
          event.preventDefault();
          const next = at.value ? { column: Math.max(0, Math.min(columns - 1, now.column + move[0])), row: Math.max(0, Math.min(strip.rows.length - 1, now.row + move[1])) } : now;
          at.value = next;
          over(describe(next.column, next.row));
        } else if (event.key === 'Enter' && at.value) {
          event.preventDefault();
          open(at.value.column, at.value.row);
        }
      }}
      onBlur={() => {
        at.value = null;
      }}
    />
  );
}

function paint({ context, width, token }: Brush, strip: Strip, at: { column: number; row: number } | null): void {
  const grid = gridOf(strip, width);
  context.textBaseline = 'middle';
  strip.rows.forEach((row, n) => {
    const middle = n * kRowHeight + kRowHeight / 2;
    context.font = `12px ${token('--font-ui')}`;
    context.textAlign = 'left';
    context.fillStyle = row.stalled ? token('--bad') : token('--text-3');
    context.fillText(`${row.reactor}${row.stalled ? ' !' : ''}`, 0, middle);
    context.textAlign = 'right';
    context.fillText(formatInt(row.connections), kLabelWidth - 10, middle);
    context.textAlign = 'center';
    context.font = `600 11px ${token('--font-ui')}`;
    [...row.cells].forEach((letter, column) => {
      const box = cellBox(grid, { column, row: strip.rows.length - 1 - n });
      const state = stateOfLetter(letter);
      const tint = state ? kStates[state].token : 'i';
      context.fillStyle = state && state !== 'idle' ? token(`--st-${tint}-bg`) : letter === ' ' ? token('--canvas') : token('--sunken');
      context.fillRect(box.x + 1, box.y + 1, box.width - 2, box.height - 2);
      if (!state) return;
      context.fillStyle = token(`--st-${tint}`);
      context.fillText(state === 'idle' ? '·' : letter, box.x + box.width / 2, box.y + box.height / 2 + 0.5);
    });
  });
  if (at) {
    const box = cellBox(grid, at);
    context.strokeStyle = token('--now');
    context.lineWidth = 2;
    context.strokeRect(box.x + 1, box.y + 1, box.width - 2, box.height - 2);
  }
}
