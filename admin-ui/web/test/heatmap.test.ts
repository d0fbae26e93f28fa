import { describe, expect, it } from 'vitest';
import { bucketPosition, cellBox, heatStep, hitTest, step, type HeatGrid } from '../src/lib/heatmap';
import { bucketName } from '../src/ui/heatmap';

const edges = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const grids: HeatGrid[] = [
  { left: 54, top: 2, width: 601, height: 377, columns: 60, rows: 20 },
  { left: 0, top: 0, width: 600, height: 400, columns: 60, rows: 20 },
  { left: 54, top: 2, width: 233.5, height: 300.25, columns: 60, rows: 20 },
  { left: 10, top: 5, width: 61, height: 23, columns: 60, rows: 20 },
];

describe('hit-testing', () => {
  it.each(grids)('finds each painted cell at its corners and centre (%o)', (grid) => {
    for (let column = 0; column < grid.columns; column += 1) {
      for (let row = 0; row < grid.rows; row += 1) {
        const { x, y, width, height } = cellBox(grid, { column, row });
        for (const [px, py] of [[x, y], [x + width - 0.01, y], [x, y + height - 0.01], [x + width / 2, y + height / 2]] as const) {
          if (px >= grid.left + grid.width || py >= grid.top + grid.height || py < grid.top) continue;
          expect(hitTest(grid, px, py)).toEqual({ column, row });
        }
      }
    }
  });
  it.each(grids)('covers the whole area with cells that do not overlap (%o)', (grid) => {
    let area = 0;
    for (let column = 0; column < grid.columns; column += 1) for (let row = 0; row < grid.rows; row += 1) {
      const box = cellBox(grid, { column, row });
      expect(box.width).toBeGreaterThan(0);
      area += box.width * box.height;
    }
    expect(area).toBeCloseTo(Math.round(grid.width) * Math.round(grid.height), 0);
  });
  it('finds nothing outside', () => {
    const grid = grids[1] as HeatGrid;
    for (const [x, y] of [[-1, 5], [600, 5], [5, -1], [5, 400]] as const) expect(hitTest(grid, x, y)).toBeNull();
  });
});

describe('the heat of a cell', () => {
  it.each([[0, 0], [1, 1], [9, 1], [10, 2], [999, 3], [1000, 4], [99999, 5], [100000, 6], [1e9, 6]])('of %i requests is step %i', (count, heat) => expect(heatStep(count)).toBe(heat));
});

describe('walking the cells', () => {
  it('stays inside', () => {
    expect(step({ column: 0, row: 0 }, 'left', 60, 20)).toEqual({ column: 0, row: 0 });
    expect(step({ column: 59, row: 19 }, 'up', 60, 20)).toEqual({ column: 59, row: 19 });
    expect(step({ column: 5, row: 5 }, 'down', 60, 20)).toEqual({ column: 5, row: 4 });
  });
});

describe('the bucket axis', () => {
  it('puts an edge on the top of its bucket', () => edges.forEach((edge, i) => expect(bucketPosition(edges, edge)).toBeCloseTo(i + 1)));
  it('puts what is over the last edge into +Inf', () => expect(bucketPosition(edges, 60)).toBe(edges.length));
  it('names the buckets', () => expect([bucketName(edges, 0), bucketName(edges, 13), bucketName(edges, 19)]).toEqual(['up to 100 µs', '500 ms – 750 ms', 'over 10 s']));
});
