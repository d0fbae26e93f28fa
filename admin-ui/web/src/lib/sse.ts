// Server-sent events over fetch: unlike EventSource it sees the status of a refusal, counts bytes, and lets us choose when to retry.

export interface ServerEvent {
  id: string | null;
  event: string;
  data: string;
}

/** Turns chunks of text into events, as the HTML standard describes the stream format. */
export class EventParser {
  private rest = '';
  private name = '';
  private data: string[] = [];
  private lastId: string | null = null;
  private afterReturn = false;

  constructor(private readonly emit: (event: ServerEvent) => void) {}

  push(chunk: string): void {
    let text = this.rest + chunk;
    if (this.afterReturn && text.startsWith('\n')) text = text.slice(1);
    this.afterReturn = false;
    let from = 0;
    for (let at = 0; at < text.length; at += 1) {
      const letter = text[at];
      if (letter !== '\n' && letter !== '\r') continue;
      this.line(text.slice(from, at));
      if (letter === '\r') {
        if (text[at + 1] === '\n') at += 1;
        else if (at + 1 === text.length) this.afterReturn = true;
      }
      from = at + 1;
    }
    this.rest = text.slice(from);
  }

  private line(line: string): void {
    if (line === '') {
      this.dispatch();
      return;
    }
    if (line.startsWith(':')) return;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? '' : line.slice(colon + 1);
    if (value.startsWith(' ')) value = value.slice(1);
    if (field === 'data') this.data.push(value);
    else if (field === 'event') this.name = value;
    else if (field === 'id' && !value.includes('\0')) this.lastId = value;
  }

  private dispatch(): void {
    if (this.data.length > 0) this.emit({ id: this.lastId, event: this.name || 'message', data: this.data.join('\n') });
    this.name = '';
    this.data = [];
  }
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** RFC 7396. The target is left as it is; what did not change keeps its identity. */
export function mergePatch<T>(target: T, patch: unknown): T {
  if (!isObject(patch)) return patch as T;
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (key === '__proto__') continue;
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key] as Json, value);
  }
  return result as T;
}
