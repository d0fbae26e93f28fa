// Adds up the gzipped size of everything the browser loads and fails above the budget.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const kBudgetBytes = 100_000;
const dist = new URL('../dist', import.meta.url).pathname;

function filesUnder(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesUnder(path) : [path];
  });
}

let total = 0;
for (const path of filesUnder(dist)) {
  const bytes = gzipSync(readFileSync(path), { level: 9 }).length;
  total += bytes;
  console.log(`${String(bytes).padStart(8)}  ${path.slice(dist.length + 1)}`);
}
console.log(`${String(total).padStart(8)}  gzipped in all, budget ${kBudgetBytes}`);
if (total > kBudgetBytes) {
  console.error('The dashboard is over its budget.');
  process.exit(1);
}
