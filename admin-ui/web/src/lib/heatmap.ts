// Geometry of the heatmap. Drawing and hit-testing use the same numbers, so the cell under the pointer is the cell that was painted.

export interface HeatGrid {
  /** Left, top, width and height of the cells in CSS pixels. */
  left: number;
  top: number;
  width: number;
  height: number;
  columns: number;
  /** Buckets, +Inf included; row 0 is at the bottom. */
  rows: number;
}

export interface Cell {
  column: number;
  row: number;
}

/** Integer pixel edges, so neighbouring cells share a border exactly and none is lost to rounding. */
export function columnEdge(grid: HeatGrid, column: number): number {
  return grid.left + Math.round((grid.width * column) / grid.columns);
}

export function rowEdge(grid: HeatGrid, row: number): number {
  return grid.top + grid.height - Math.round((grid.height * row) / grid.rows);
}

export function cellBox(grid: HeatGrid, cell: Cell): { x: number; y: number; width: number; height: number } {
  const x = columnEdge(grid, cell.column);
  const y = rowEdge(grid, cell.row + 1);
  return { x, y, width: columnEdge(grid, cell.column + 1) - x, height: rowEdge(grid, cell.row) - y };
}

/** The cell at a point, or null outside. Left and top edges belong to the cell, right and bottom ones to its neighbour. */
export function hitTest(grid: HeatGrid, x: number, y: number): Cell | null {
  if (x < grid.left || y < grid.top || x >= grid.left + grid.width || y >= grid.top + grid.height) return null;
  let column = Math.min(grid.columns - 1, Math.floor(((x - grid.left) * grid.columns) / grid.width));
  while (column > 0 && x < columnEdge(grid, column)) column -= 1;
  while (column < grid.columns - 1 && x >= columnEdge(grid, column + 1)) column += 1;
  let row = Math.min(grid.rows - 1, Math.floor(((grid.top + grid.height - y) * grid.rows) / grid.height));
  while (row > 0 && y >= rowEdge(grid, row)) row -= 1;
  while (row < grid.rows - 1 && y < rowEdge(grid, row + 1)) row += 1;
  return { column, row };
}

/** One step per power of ten: 0 is empty, 1 is 1–9, … 6 is 100,000 and more. */
export function heatStep(count: number): number {
  if (count <= 0) return 0;
  return Math.min(6, 1 + Math.floor(Math.log10(count) + 1e-9));
}

export type Direction = 'left' | 'right' | 'up' | 'down';

/** One step with the arrow keys; stays at the edge. */
export function step(cell: Cell, direction: Direction, columns: number, rows: number): Cell {
  const moved = {
    left: { column: cell.column - 1, row: cell.row },
    right: { column: cell.column + 1, row: cell.row },
    up: { column: cell.column, row: cell.row + 1 },
    down: { column: cell.column, row: cell.row - 1 },
  }[direction];
  return { column: Math.max(0, Math.min(columns - 1, moved.column)), row: Math.max(0, Math.min(rows - 1, moved.row)) };
}

/** Where a duration lies on the bucket axis, in rows from the bottom; linear within its bucket, as the counts are. */
export function bucketPosition(edges: readonly number[], seconds: number): number {
  for (let i = 0; i < edges.length; i += 1) {
    const upper = edges[i] ?? Infinity;
    const lower = i === 0 ? 0 : (edges[i - 1] ?? 0);
    if (seconds <= upper) return i + (upper > lower ? Math.max(0, (seconds - lower) / (upper - lower)) : 1);
  }
  return edges.length;
}
