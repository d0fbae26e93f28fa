// The query language, as far as a text box needs it: where the terms are, what could come next, what is certainly wrong.
// The server decides what a query means; this never rewrites one.

export type Operator = ':' | '>' | '<' | '>=' | '<=';

export interface Term {
  raw: string;
  start: number;
  end: number;
  negated: boolean;
  field: string | null;
  op: Operator | null;
  value: string;
}

export const kFieldHints: Record<string, string> = {
  id: 'one connection', peer: 'address:port', client: 'who is behind the peer', listener: 'name of the listener', protocol: 'http/1.1, h2, h2c', state: 'what it is doing',
  tls: 'TLS version', sni: 'server name asked for', reactor: 'number', slot: 'number', age: 'duration', idle: 'duration', unused: 'idle timeout running', requests: 'number',
  received: 'size', sent: 'size', in_rate: 'size per second', out_rate: 'size per second', streams: 'number', rtt: 'duration',
  retransmits: 'number', pending: 'size', memory: 'size', method: 'GET, POST …', target: 'path', route: 'pattern', deadline: 'time left',
  timer: 'kind of deadline', limited: 'who limits it', reason: 'why it closed', initiator: 'who closed it', family: 'group of reasons', status: 'answer code',
};
export const kFields = Object.keys(kFieldHints);
const kAliases: Record<string, string> = { proto: 'protocol' };
const kNumeric = new Set(['reactor', 'slot', 'age', 'idle', 'unused', 'requests', 'received', 'sent', 'in_rate', 'out_rate', 'streams', 'rtt', 'retransmits', 'pending', 'memory', 'deadline', 'status']);

const kTerm = /^(-?)([A-Za-z_][A-Za-z0-9_]*)(:|>=|<=|>|<)(.*)$/s;

/** Splits at spaces outside double quotes. An unfinished quote runs to the end. */
export function tokenize(text: string): Term[] {
  const terms: Term[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] === ' ') {
      at += 1;
      continue;
    }
    const start = at;
    let quoted = false;
    while (at < text.length && (quoted || text[at] !== ' ')) {
      if (text[at] === '"') quoted = !quoted;
      at += 1;
    }
    terms.push(parseTerm(text.slice(start, at), start));
  }
  return terms;
}

function parseTerm(raw: string, start: number): Term {
  const match = kTerm.exec(raw);
  const base = { raw, start, end: start + raw.length };
  if (!match) {
    const negated = raw.length > 1 && raw.startsWith('-');
    return { ...base, negated, field: null, op: null, value: unquote(negated ? raw.slice(1) : raw) };
  }
  const name = (match[2] ?? '').toLowerCase();
  return { ...base, negated: match[1] === '-', field: kAliases[name] ?? name, op: match[3] as Operator, value: unquote(match[4] ?? '') };
}

const unquote = (value: string) => value.replaceAll('"', '');

export function quote(value: string): string {
  return value.includes(' ') ? `"${value}"` : value;
}

/** Position and length count characters, as the server does: an emoji is one, though it is two units of a string. */
export interface QueryFault {
  position: number;
  length: number;
  message: string;
  suggestion: string | null;
}

/** The first certain mistake: an unknown field, a comparison of text, a missing value. Null when only the server can tell. */
export function findFault(text: string): QueryFault | null {
  for (const term of tokenize(text)) {
    if (term.field === null || term.op === null) continue;
    const position = characters(text.slice(0, term.start)) + (term.negated ? 1 : 0);
    const length = characters(term.raw) - (term.negated ? 1 : 0);
    if (!(term.field in kFieldHints)) {
      return { position, length: term.field.length, message: `No field ${term.field}`, suggestion: nearest(term.field, kFields) };
    }
    if (term.op !== ':' && !kNumeric.has(term.field)) {
      return { position, length, message: `${term.field} is text; compare it with a colon`, suggestion: `${term.field}:${quote(term.value)}` };
    }
    if (term.value === '') return { position, length, message: `${term.field} needs a value`, suggestion: null };
  }
  return null;
}

const characters = (text: string) => Array.from(text).length;

/** The text with what is at fault replaced. */
export function repaired(text: string, fault: Pick<QueryFault, 'position' | 'length'>, suggestion: string): string {
  const all = Array.from(text);
  all.splice(fault.position, fault.length, suggestion);
  return all.join('');
}

/** The closest known word within two edits, or null. */
export function nearest(word: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let least = 3;
  for (const candidate of known) {
    const distance = editDistance(word, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and neighbours swapped: the slips of typing. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, i) => i)];
  const at = (i: number, j: number) => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i += 1) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j += 1) {
      let least = Math.min(at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1), at(i - 1, j) + 1, at(i, j - 1) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, at(i - 2, j - 2) + 1);
      rows[i]?.push(least);
    }
  }
  return at(a.length, b.length);
}

export interface Completion {
  insert: string;
  label: string;
  hint: string;
}

export interface Completions {
  from: number;
  to: number;
  items: Completion[];
}

/** Values known for a field, with an optional hint such as a count. */
export type ValuesOf = (field: string) => { value: string; hint?: string }[];

const kMaxItems = 9;

/** What could stand at the caret: fields while a word is typed, values after an operator. */
export function complete(text: string, caret: number, valuesOf: ValuesOf): Completions {
  const term = tokenize(text).find((candidate) => candidate.start <= caret && caret <= candidate.end);
  if (!term) return { from: caret, to: caret, items: fieldsLike('', '') };
  const minus = term.negated || term.raw === '-' ? '-' : '';
  if (term.field === null) {
    const typed = term.raw === '-' ? '' : term.value;
    return { from: term.start, to: term.end, items: fieldsLike(typed.toLowerCase(), minus) };
  }
  const typed = term.value.toLowerCase();
  const items = beginningsFirst(valuesOf(term.field).filter(({ value }) => value !== term.value), ({ value }) => value.toLowerCase(), typed)
    .slice(0, kMaxItems)
    .map(({ value, hint }) => ({
      insert: `${minus}${term.field ?? ''}${term.op ?? ':'}${quote(value)} `,
      label: `${minus}${term.field ?? ''}${term.op ?? ':'}${value}`,
      hint: hint ?? '',
    }));
  return { from: term.start, to: term.end, items };
}

/** What begins with the letters typed, then what has them further in. */
function beginningsFirst<T>(all: readonly T[], wordOf: (one: T) => string, typed: string): T[] {
  return [...all.filter((one) => wordOf(one).startsWith(typed)), ...all.filter((one) => wordOf(one).indexOf(typed) > 0)];
}

function fieldsLike(typed: string, minus: string): Completion[] {
  const found = beginningsFirst(kFields, (field) => field, typed).filter((field) => typed.length > 1 || field.startsWith(typed));
  return found.slice(0, kMaxItems).map((field) => {
    const op = kNumeric.has(field) && field !== 'reactor' && field !== 'status' ? '>' : ':';
    return { insert: `${minus}${field}${op}`, label: `${minus}${field}${op}`, hint: kFieldHints[field] ?? '' };
  });
}

/** The query without the term that spans these characters. */
export function dropTerm(text: string, term: Term): string {
  return `${text.slice(0, term.start)}${text.slice(term.end)}`.replace(/ {2,}/g, ' ').trim();
}

/** The query with this term added, once; a term of the same field and operator is replaced. */
export function withTerm(text: string, addition: string): string {
  const added = tokenize(addition)[0];
  if (!added) return text;
  const kept = tokenize(text).filter((term) => !(term.field === added.field && term.op === added.op && term.negated === added.negated) || term.field === null);
  return [...kept.filter((term) => term.raw !== addition).map((term) => term.raw), addition].join(' ');
}
