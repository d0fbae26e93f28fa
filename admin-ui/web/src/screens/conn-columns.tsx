// What the connection grid can show. Width in pixels; `leaves` decides which column goes first when there is no room.
import type { ComponentChildren } from 'preact';
import { formatBytes, formatDuration, formatInt } from '../lib/format';
import { requestText, type LiveRow } from '../lib/rows';
import { Meter, StateChip } from '../ui/parts';

export interface ConnColumn {
  id: string;
  head: string;
  what: string;
  width: number;
  num?: boolean;
  sort?: string;
  leaves: number;
  byDefault?: boolean;
  flexible?: boolean;
  cell: (row: LiveRow, now: number) => ComponentChildren;
}

const rate = (value: number | null | undefined) => (value === null || value === undefined ? '–' : value === 0 ? '0' : `${formatBytes(value)}/s`);

/** How long it is since then; of a connection that has ended, how long it was. */
export const since = (at: number, { closed }: LiveRow, now: number) => formatDuration(Math.max(0, (closed?.closed_at ?? now) - at));

export const kColumns: ConnColumn[] = [
  { id: 'id', head: 'id', what: 'connection', width: 88, sort: 'id', leaves: 3, byDefault: true, cell: (r) => <span class="mono">{r.id}</span> },
  { id: 'peer', head: 'peer', what: 'address and port', width: 140, sort: 'peer', leaves: 0, byDefault: true, cell: (r) => <span title={r.client ? `client ${r.client}` : undefined}>{r.peer}</span> },
  { id: 'listener', head: 'listener', what: 'where it came in', width: 70, sort: 'listener', leaves: 30, cell: (r) => r.listener },
  { id: 'protocol', head: 'proto', what: 'protocol', width: 60, sort: 'protocol', leaves: 8, byDefault: true, cell: (r) => r.protocol },
  { id: 'tls', head: 'TLS', what: 'TLS version', width: 56, leaves: 24, byDefault: true, cell: (r) => (r.tls ? r.tls.replace('TLSv', '') : 'no') },
  { id: 'state', head: 'state', what: 'what it is doing', width: 108, sort: 'state', leaves: 0, byDefault: true, cell: (r) => <StateChip state={r.state} /> },
  { id: 'reactor', head: 'reactor', what: 'owning reactor', width: 58, num: true, sort: 'reactor', leaves: 29, cell: (r) => r.reactor ?? '–' },
  { id: 'age', head: 'age', what: 'since accept', width: 68, num: true, sort: 'age', leaves: 14, byDefault: true, cell: (r, now) => since(r.openedAt, r, now) },
  { id: 'idle', head: 'idle', what: 'since the last byte', width: 58, num: true, sort: 'idle', leaves: 4, byDefault: true, cell: (r, now) => since(r.idleSince, r, now) },
  { id: 'requests', head: 'requests', what: 'served', width: 66, num: true, sort: 'requests', leaves: 15, byDefault: true, cell: (r) => formatInt(r.requests) },
  { id: 'in_rate', head: 'in', what: 'received per second', width: 80, num: true, sort: 'in_rate', leaves: 22, byDefault: true, cell: (r) => rate(r.received_bytes_per_second) },
  { id: 'out_rate', head: 'out', what: 'sent per second', width: 80, num: true, sort: 'out_rate', leaves: 16, byDefault: true, cell: (r) => rate(r.sent_bytes_per_second) },
  { id: 'received', head: 'received', what: 'bytes in all', width: 76, num: true, sort: 'received', leaves: 28, cell: (r) => formatBytes(r.received_bytes) },
  { id: 'sent', head: 'sent', what: 'bytes in all', width: 76, num: true, sort: 'sent', leaves: 27, cell: (r) => formatBytes(r.sent_bytes) },
  { id: 'streams', head: 'streams', what: 'open HTTP/2 streams', width: 60, num: true, sort: 'streams', leaves: 20, byDefault: true, cell: (r) => formatInt(r.streams) },
  { id: 'rtt', head: 'RTT', what: 'round trip, smoothed', width: 66, num: true, sort: 'rtt', leaves: 18, byDefault: true, cell: (r) => formatDuration(r.rtt_seconds) },
  { id: 'retransmits', head: 'retrans', what: 'segments sent again', width: 60, num: true, sort: 'retransmits', leaves: 31, cell: (r) => formatInt(r.retransmits) },
  { id: 'pending', head: 'pending', what: 'waiting to be sent', width: 76, num: true, sort: 'pending', leaves: 6, byDefault: true, cell: (r) => formatBytes(r.pending_bytes) },
  { id: 'memory', head: 'memory', what: 'held of this process, without OpenSSL’s', width: 76, num: true, sort: 'memory', leaves: 17, byDefault: true, cell: (r) => formatBytes(r.memory_bytes) },
  { id: 'sni', head: 'server name', what: 'asked for by TLS', width: 130, leaves: 32, cell: (r) => r.sni ?? '–' },
  { id: 'request', head: 'current request', what: 'method and target', width: 110, leaves: 2, byDefault: true, flexible: true, cell: (r) => <span class="mono" title={r.closed?.reason ?? r.target ?? undefined}>{requestOf(r)}</span> },
  { id: 'deadline', head: 'next deadline', what: 'which timer ends it, when', width: 104, sort: 'deadline', leaves: 2, byDefault: true, cell: (r, now) => <DeadlineCell row={r} now={now} /> },
];

/** What it is at; of one that has ended, why it did. */
export function requestOf(row: LiveRow): string {
  if (row.closed) return row.closed.reason;
  return requestText(row) || '–';
}

export function DeadlineCell({ row, now }: { row: LiveRow; now: number }) {
  if (row.closed) {
    return <span class="sub" title={row.closed.reason}>closed · why</span>;
  }
  if (!row.deadline || row.deadlineAt === null) return <span class="sub">none</span>;
  const left = row.deadlineAt - now;
  const total = row.deadline.total_seconds ?? Math.max(row.deadline.seconds_left, 1);
  const soon = left < 5;
  return (
    <span class={`deadline ${soon ? 'soon' : ''}`}>
      <span class="kind" title={row.deadline.kind}>{row.deadline.kind}</span>
      <span class="left">{left <= 0 ? 'due' : formatDuration(left)}</span>
      <Meter share={left / total} />
    </span>
  );
}

/** What the list is sorted by: a column that was chosen falls, the id that nobody chose rises. */
export function sortingOf({ sort, order }: Readonly<Record<string, string>>): { sort: string; order: string } {
  return { sort: sort ?? 'id', order: order ?? (sort ? 'desc' : 'asc') };
}

/** The next of the columns that can be seen and sorted by, behind the one sorted by now. */
export function nextSort(shown: readonly ConnColumn[], now: string): string {
  const sorts = shown.flatMap(({ sort }) => sort ?? []);
  return sorts[(sorts.indexOf(now) + 1) % sorts.length] ?? now;
}

const kGap = 12;
const kSelectWidth = 20;

/** The chosen columns that fit, in their order: the least important ones leave first, the sorted one stays. */
export function fitColumns(chosen: readonly ConnColumn[], width: number, sort: string): ConnColumn[] {
  const kept = chosen.map((column) => (column.sort === sort ? { ...column, leaves: Math.min(1, column.leaves) } : column));
  const used = () => kSelectWidth + 24 + kept.reduce((sum, column) => sum + column.width + kGap, 0);
  while (kept.length > 1 && used() > width) {
    const least = kept.reduce((a, b) => (b.leaves > a.leaves ? b : a));
    if (least.leaves === 0) break;
    kept.splice(kept.indexOf(least), 1);
  }
  return kept;
}

export function template(columns: readonly ConnColumn[]): string {
  const flexible = columns.some((column) => column.flexible);
  return [`${kSelectWidth}px`, ...columns.map((c) => (c.flexible || (!flexible && c.id === 'peer') ? `minmax(${c.width}px, 1fr)` : `${c.width}px`))].join(' ');
}
