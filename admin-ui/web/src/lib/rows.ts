// Rows of the connection list as the page keeps them: ages as moments, so that they run on between two messages.
import type { ConnectionRow, RequestRecord, RowsEvent } from '../api/types';

/** Method and target as far as they are known; empty when neither is. */
export function requestText({ method, target, route }: Pick<ConnectionRow, 'method' | 'target' | 'route'>): string {
  return `${method ?? ''} ${target ?? (route ? `on route ${route}` : '')}`.trim();
}

/** How a finished request was answered; without a status, why it was not. */
export function answerOf({ status, error_type: error }: Pick<RequestRecord, 'status' | 'error_type'>): string {
  return status ? String(status) : (error?.replaceAll('_', ' ') ?? 'no answer');
}

/** A row names its newest request; it is the current one only in these states. */
export const isAtRequest = ({ state }: Pick<ConnectionRow, 'state'>) => state === 'reading_body' || state === 'handling' || state === 'writing';

export interface LiveRow extends ConnectionRow {
  openedAt: number;
  idleSince: number;
  deadlineAt: number | null;
}

const kEnded = { state: 'closing', deadline: null, deadlineAt: null } as const;

/** `at` is the server's time at which the row was read; what it tells of one that had ended is of its end. */
export function liveRow(row: ConnectionRow, at: number): LiveRow {
  const told = row.closed?.closed_at ?? at;
  return {
    ...row,
    openedAt: told - row.age_seconds,
    idleSince: told - row.idle_seconds,
    deadlineAt: row.deadline ? told + row.deadline.seconds_left : null,
    ...(row.closed ? kEnded : {}),
  };
}

/** Applies the changed fields, and turns rows that ended into their closing state in place. Null is a value ("not known"). */
export function applyChanges(rows: ReadonlyMap<string, LiveRow>, event: RowsEvent): Map<string, LiveRow> {
  const result = new Map(rows);
  for (const change of event.changed as ({ id: string } & Partial<ConnectionRow>)[]) {
    const row = result.get(change.id);
    if (!row || row.closed) continue;
    const next: LiveRow = { ...row, ...change };
    if (change.age_seconds !== undefined) next.openedAt = event.at - change.age_seconds;
    if (change.idle_seconds !== undefined) next.idleSince = event.at - change.idle_seconds;
    if (change.deadline !== undefined) next.deadlineAt = change.deadline ? event.at + change.deadline.seconds_left : null;
    result.set(change.id, next);
  }
  for (const gone of event.gone) {
    const row = result.get(gone.id);
    if (!row || row.closed) continue;
    result.set(gone.id, { ...row, ...kEnded, closed: { reason: gone.reason, closed_at: gone.closed_at } });
  }
  return result;
}
