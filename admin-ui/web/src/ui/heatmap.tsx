// Time × duration bucket on our own canvas. The cell that was painted is the cell that is hit; arrows walk, Enter opens.
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { formatInt, formatTime } from '../lib/format';
import { bucketPosition, cellBox, columnEdge, heatStep, hitTest, rowEdge, step, type Cell, type Direction, type HeatGrid } from '../lib/heatmap';
import { Canvas, type Brush } from './canvas';
import { hairline } from './time-chart';

export interface HeatData {
  edges: number[];
  times: number[];
  step: number;
  columns: (number[] | null)[];
  p50: (number | null)[];
  p99: (number | null)[];
  /** A duration drawn as a dashed line, with its name. */
  line?: { seconds: number; name: string };
}

interface Props {
  data: HeatData;
  height: number;
  chosen: Cell | null;
  onChoose: (cell: Cell) => void;
  onEnter: () => void;
  label: string;
}

const kLeft = 54;
const kRight = 34;
const kBottom = 20;

export function heatGrid(data: HeatData, width: number, height: number): HeatGrid {
  return { left: kLeft, top: 2, width: Math.max(60, width - kLeft - kRight), height: height - kBottom - 4, columns: Math.max(1, data.columns.length), rows: data.edges.length + 1 };
}

export function bucketName(edges: readonly number[], row: number): string {
  const upper = edges[row];
  const lower = row === 0 ? 0 : (edges[row - 1] ?? 0);
  if (upper === undefined) return `over ${formatEdge(lower)}`;
  return row === 0 ? `up to ${formatEdge(upper)}` : `${formatEdge(lower)} – ${formatEdge(upper)}`;
}

/** Bucket edges are round numbers and read best without padding. */
export function formatEdge(seconds: number): string {
  if (seconds < 0.9995e-3) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 0.9995) return `${Number((seconds * 1e3).toFixed(1))} ms`;
  return `${Number(seconds.toFixed(1))} s`;
}

const kArrows: Record<string, Direction> = { ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down' };

export function Heatmap({ data, height, chosen, onChoose, onEnter, label }: Props) {
  const over = useSignal<Cell | null>(null);
  const host = useRef<HTMLElement | null>(null);
  void hairline.value;
  const find = (event: MouseEvent & { currentTarget: EventTarget & HTMLElement }) => {
    host.current = event.currentTarget;
    const box = event.currentTarget.getBoundingClientRect();
    return hitTest(heatGrid(data, box.width, box.height), event.clientX - box.left, event.clientY - box.top);
  };
  const words = (cell: Cell) => `${formatTime(data.times[cell.column])}, ${bucketName(data.edges, cell.row)}: ${formatInt(data.columns[cell.column]?.[cell.row] ?? null)} requests`;
  const tip = over.value ?? chosen;
  return (
    <>
      <Canvas
        class="heatmap"
        draw={(brush) => paint(brush, data, chosen)}
        style={{ height: `${height}px` }}
        tabIndex={0}
        role="application"
        aria-label={`${label} Arrows walk the cells, Enter goes to the requests.`}
        onMouseMove={(event) => {
          const cell = find(event);
          if (cell?.column !== over.value?.column || cell?.row !== over.value?.row) over.value = cell;
          hairline.value = cell ? (data.times[cell.column] ?? null) : null;
        }}
        onMouseLeave={() => {
          over.value = null;
          hairline.value = null;
        }}
        onClick={(event) => {
          const cell = find(event);
          if (cell) onChoose(cell);
        }}
        onKeyDown={(event) => {
          const direction = kArrows[event.key];
          if (direction) {
            event.preventDefault();
            onChoose(chosen ? step(chosen, direction, data.columns.length, data.edges.length + 1) : { column: data.columns.length - 1, row: 8 });
          } else if (event.key === 'Enter') {
            event.preventDefault();
            onEnter();
          }
        }}
      />
      <p class="tip" aria-live="polite">{tip ? words(tip) : 'Point at a cell, or walk with the arrow keys.'}</p>
    </>
  );
}

function paint({ context, width, height, token }: Brush, data: HeatData, chosen: Cell | null): void {
  const grid = heatGrid(data, width, height);
  const colours = Array.from({ length: 7 }, (_, i) => token(`--heat-${i}`));
  data.columns.forEach((counts, column) => {
    const x = columnEdge(grid, column);
    const wide = columnEdge(grid, column + 1) - x;
    for (let row = 0; row < grid.rows; row += 1) {
      const box = cellBox(grid, { column, row });
      const heat = heatStep(counts?.[row] ?? 0);
      context.fillStyle = counts === null ? token('--canvas') : (colours[heat] ?? '');
      context.fillRect(x, box.y, wide - 1, box.height - 1);
      // Few requests must stand out too, at night as well: such a cell has a rim.
      if (heat === 1) {
        context.strokeStyle = token('--heat-4');
        context.lineWidth = 1;
        context.strokeRect(x + 0.5, box.y + 0.5, wide - 2, box.height - 2);
      }
    }
  });
  axes(context, grid, data, token);
  if (data.line) {
    const y = grid.top + grid.height - (bucketPosition(data.edges, data.line.seconds) / grid.rows) * grid.height;
    context.setLineDash([2, 3]);
    context.strokeStyle = token('--text');
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(grid.left, y);
    context.lineTo(grid.left + grid.width, y);
    context.stroke();
    context.setLineDash([]);
    context.textAlign = 'left';
    outlined(context, data.line.name, grid.left + 5, y - 8, token);
  }
  quantileLine(context, grid, data, data.p50, 'p50', token, [4, 2]);
  quantileLine(context, grid, data, data.p99, 'p99', token, []);
  const hair = hairline.peek();
  const first = data.times[0];
  if (hair !== null && first !== undefined) {
    const x = grid.left + ((hair + data.step / 2 - first) / (data.step * data.columns.length)) * grid.width;
    if (x >= grid.left && x <= grid.left + grid.width) {
      context.fillStyle = token('--text-3');
      context.fillRect(Math.round(x), grid.top, 1, grid.height);
    }
  }
  if (chosen && chosen.column < grid.columns) {
    const box = cellBox(grid, chosen);
    context.strokeStyle = token('--now');
    context.lineWidth = 2.5;
    context.strokeRect(box.x - 1, box.y - 1, box.width + 1, box.height + 1);
  }
}

type Token = (name: string) => string;

function outlined(context: CanvasRenderingContext2D, text: string, x: number, y: number, token: Token): void {
  context.textBaseline = 'middle';
  context.lineWidth = 3;
  context.strokeStyle = token('--panel');
  context.strokeText(text, x, y);
  context.fillStyle = token('--text');
  context.fillText(text, x, y);
}

function axes(context: CanvasRenderingContext2D, grid: HeatGrid, data: HeatData, token: Token): void {
  context.font = `11px ${token('--font-ui')}`;
  context.fillStyle = token('--text-3');
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  data.edges.forEach((edge, row) => context.fillText(formatEdge(edge), grid.left - 6, rowEdge(grid, row + 1) + 1));
  context.textAlign = 'center';
  context.textBaseline = 'top';
  const every = grid.width < 380 ? 300 : 180;
  data.times.forEach((at, column) => {
    if (at % every === 0) context.fillText(formatTime(at).slice(0, 5), columnEdge(grid, column), grid.top + grid.height + 5);
  });
}

function quantileLine(context: CanvasRenderingContext2D, grid: HeatGrid, data: HeatData, values: (number | null)[], name: string, token: Token, dash: number[]): void {
  const draw = (colour: string, wide: number, pattern: number[]) => {
    context.strokeStyle = colour;
    context.lineWidth = wide;
    context.setLineDash(pattern);
    context.beginPath();
    let pen = false;
    values.forEach((value, column) => {
      if (value === null) {
        pen = false;
        return;
      }
      const x = (columnEdge(grid, column) + columnEdge(grid, column + 1)) / 2;
      const y = grid.top + grid.height - (bucketPosition(data.edges, value) / grid.rows) * grid.height;
      if (pen) context.lineTo(x, y);
      else context.moveTo(x, y);
      pen = true;
    });
    context.stroke();
    context.setLineDash([]);
  };
  draw(token('--panel'), 4, []);
  draw(token('--text'), 1.5, dash);
  const last = values.reduce<number | null>((found, value) => value ?? found, null);
  if (last === null) return;
  const y = grid.top + grid.height - (bucketPosition(data.edges, last) / grid.rows) * grid.height;
  context.textAlign = 'left';
  context.font = `11px ${token('--font-ui')}`;
  outlined(context, name, grid.left + grid.width + 6, y, token);
}
