import { describe, expect, it } from 'vitest';
import { EventParser, mergePatch, type ServerEvent } from '../src/lib/sse';
import { applyChanges, liveRow } from '../src/lib/rows';
import { since } from '../src/screens/conn-columns';
import type { ConnectionRow } from '../src/api/types';

function parse(...chunks: string[]): ServerEvent[] {
  const events: ServerEvent[] = [];
  const parser = new EventParser((event) => events.push(event));
  for (const chunk of chunks) parser.push(chunk);
  return events;
}

describe('the event stream', () => {
  const text = 'id: 7\nevent: overview\ndata: {"a":1}\n\n: quiet\n\ndata: one\ndata: two\n\n';
  const expected = [{ id: '7', event: 'overview', data: '{"a":1}' }, { id: '7', event: 'message', data: 'one\ntwo' }];
  it('becomes events', () => expect(parse(text)).toEqual(expected));
  it('may be cut anywhere', () => {
    for (let cut = 1; cut < text.length; cut += 1) expect(parse(text.slice(0, cut), text.slice(cut))).toEqual(expected);
  });
  it('may end lines with CR LF, also across a cut', () => {
    const other = text.replaceAll('\n', '\r\n');
    for (let cut = 1; cut < other.length; cut += 1) expect(parse(other.slice(0, cut), other.slice(cut))).toEqual(expected);
  });
  it('sends nothing for an unfinished event', () => expect(parse('event: x\ndata: 1\n')).toEqual([]));
});

describe('a merge patch', () => {
  it.each([
    [{ a: 1, b: 2 }, { b: 3 }, { a: 1, b: 3 }],
    [{ a: { x: 1, y: 2 } }, { a: { y: null } }, { a: { x: 1 } }],
    [{ a: [1, 2] }, { a: [3] }, { a: [3] }],
    [{ a: 1 }, { b: { c: null, d: 1 } }, { a: 1, b: { d: 1 } }],
  ])('turns %j with %j into %j', (target, patch, result) => expect(mergePatch<unknown>(target, patch)).toEqual(result));
  it('leaves its target alone', () => {
    const target = { a: { b: 1 } };
    mergePatch(target, { a: { b: 2 } });
    expect(target).toEqual({ a: { b: 1 } });
  });
  it('cannot reach a prototype', () => {
    mergePatch({}, JSON.parse('{"__proto__": {"polluted": true}}'));
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

const row: ConnectionRow = { id: 'a', peer: '192.0.2.1:1', listener: 'http', protocol: 'h2', state: 'idle', age_seconds: 10, idle_seconds: 4, requests: 1, received_bytes: 1, sent_bytes: 1, deadline: { kind: 'idle', seconds_left: 56, total_seconds: 60 } };

describe('rows in the viewport', () => {
  const rows = new Map([['a', liveRow(row, 1000)]]);
  it('keep ages as moments', () => expect(rows.get('a')).toMatchObject({ openedAt: 990, idleSince: 996, deadlineAt: 1056 }));
  it('take changed fields and leave the others', () => {
    const next = applyChanges(rows, { at: 1002, changed: [{ id: 'a', state: 'handling', sent_bytes: 9 }], gone: [] }).get('a');
    expect(next).toMatchObject({ state: 'handling', sent_bytes: 9, requests: 1, idleSince: 996 });
  });
  it('move a deadline only when it is sent', () => {
    const next = applyChanges(rows, { at: 1002, changed: [{ id: 'a', idle_seconds: 0, deadline: { kind: 'handler', seconds_left: 60 } }], gone: [] }).get('a');
    expect(next).toMatchObject({ idleSince: 1002, deadlineAt: 1062 });
  });
  it('take null as a value', () => {
    expect(applyChanges(rows, { at: 1002, changed: [{ id: 'a', deadline: null }], gone: [] }).get('a')?.deadlineAt).toBeNull();
  });
  it('stay in their place as closed, with the reason, and do not come back', () => {
    const gone = applyChanges(rows, { at: 1003, changed: [], gone: [{ id: 'a', reason: 'keep_alive_timeout', closed_at: 1002.5 }] });
    expect(gone.get('a')).toMatchObject({ state: 'closing', closed: { reason: 'keep_alive_timeout' } });
    expect(applyChanges(gone, { at: 1004, changed: [{ id: 'a', state: 'idle' }], gone: [] }).get('a')?.state).toBe('closing');
  });
  it('are closed when they are read after their end, and their age is that of their end', () => {
    const ended = liveRow({ ...row, state: 'reading_head', closed: { reason: 'drain', closed_at: 995 } }, 1000);
    expect(ended).toMatchObject({ state: 'closing', openedAt: 985, deadline: null, deadlineAt: null });
    expect(since(ended.openedAt, ended, 4000)).toBe('10 s');
    const gone = applyChanges(rows, { at: 1003, changed: [], gone: [{ id: 'a', reason: 'keep_alive_timeout', closed_at: 1002 }] }).get('a');
    expect(gone && since(gone.openedAt, gone, 4000)).toBe('12 s');
    const live = rows.get('a');
    expect(live && since(live.openedAt, live, 1003)).toBe('13 s');
  });
  it('that are not known are ignored', () => expect(applyChanges(rows, { at: 1, changed: [{ id: 'b' }], gone: [{ id: 'c', reason: 'drain', closed_at: 1 }] }).size).toBe(1));
});
