import { describe, expect, it } from 'vitest';
import { complete, dropTerm, findFault, nearest, repaired, tokenize, withTerm } from '../src/lib/query';

describe('the query tokeniser', () => {
  it.each([
    ['proto:h2', [{ field: 'protocol', op: ':', value: 'h2', negated: false }]],
    ['idle>30s rtt>=100ms', [{ field: 'idle', op: '>', value: '30s', negated: false }, { field: 'rtt', op: '>=', value: '100ms', negated: false }]],
    ['-state:idle', [{ field: 'state', op: ':', value: 'idle', negated: true }]],
    ['203.0.113.4', [{ field: null, op: null, value: '203.0.113.4', negated: false }]],
    ['-bot', [{ field: null, op: null, value: 'bot', negated: true }]],
    ['target:"/a b" x', [{ field: 'target', op: ':', value: '/a b', negated: false }, { field: null, op: null, value: 'x', negated: false }]],
    ['peer:[::1]:443', [{ field: 'peer', op: ':', value: '[::1]:443', negated: false }]],
    ['', []],
    ['   ', []],
  ])('splits %j', (text, expected) => {
    expect(tokenize(text).map(({ field, op, value, negated }) => ({ field, op, value, negated }))).toEqual(expected);
  });

  it('gives positions that cut the term out of the text', () => {
    const text = ' a  idle>3s target:"x y"';
    for (const term of tokenize(text)) expect(text.slice(term.start, term.end)).toBe(term.raw);
  });

  it('takes an unfinished quote to the end', () => {
    expect(tokenize('target:"/a b c')[0]?.value).toBe('/a b c');
  });
});

describe('a fault in a query', () => {
  it('names the position and the nearest field', () => {
    expect(findFault('proto:h2 idel>30s')).toMatchObject({ position: 9, length: 4, suggestion: 'idle' });
  });
  it('counts from the field, not from the minus', () => {
    expect(findFault('-stat:idle')?.position).toBe(1);
  });
  it('counts characters, as the server does', () => {
    expect(findFault('sni:🦊 idel>30s')).toMatchObject({ position: 6, length: 4 });
  });
  it('is repaired where it is, whatever stands before it', () => {
    expect(repaired('sni:🦊ü idel>30s x', { position: 7, length: 4 }, 'idle')).toBe('sni:🦊ü idle>30s x');
    expect(repaired('state:"idel" x', { position: 6, length: 6 }, 'idle')).toBe('state:idle x');
  });
  it('is a comparison of text', () => {
    expect(findFault('peer>3')).not.toBeNull();
  });
  it('is a missing value', () => {
    expect(findFault('idle>')).not.toBeNull();
  });
  it('is not seen in what only the server can judge', () => {
    for (const fine of ['', 'word', 'proto:h3', 'idle>yesterday', 'route:/api/* -state:idle']) expect(findFault(fine)).toBeNull();
  });
});

describe('completion', () => {
  const values = (field: string) => (field === 'state' ? [{ value: 'idle', hint: '12' }, { value: 'handling' }] : []);
  it('offers fields that begin with the word at the caret', () => {
    expect(complete('reac', 4, values).items.map((item) => item.label)).toEqual(['reactor:']);
  });
  it('offers values after the operator, with their hints', () => {
    expect(complete('state:i', 7, values).items).toContainEqual({ insert: 'state:idle ', label: 'state:idle', hint: '12' });
  });
  it('offers what begins with the letters before what has them inside, as of fields', () => {
    const states = () => ['reading_head', 'handling', 'writing', 'idle'].map((value) => ({ value }));
    expect(complete('state:i', 7, states).items.map((item) => item.label)).toEqual(['state:idle', 'state:reading_head', 'state:handling', 'state:writing']);
    expect(complete('st', 2, states).items.map((item) => item.label)).toEqual(['state:', 'streams>', 'status:', 'listener:', 'requests>']);
  });
  it('keeps the minus', () => {
    expect(complete('-state:hand', 11, values).items[0]?.insert).toBe('-state:handling ');
  });
  it('replaces only the term at the caret', () => {
    expect(complete('proto:h2 st', 11, values)).toMatchObject({ from: 9, to: 11 });
  });
});

describe('editing a query', () => {
  it('drops one term and no other', () => {
    const text = 'proto:h2 idle>30s x';
    const term = tokenize(text)[1];
    if (!term) throw new Error('no term');
    expect(dropTerm(text, term)).toBe('proto:h2 x');
  });
  it('replaces a term of the same field', () => {
    expect(withTerm('reason:drain peer:1*', 'reason:write_stall')).toBe('peer:1* reason:write_stall');
  });
  it('does not suggest a word that is far away', () => {
    expect(nearest('completely', ['idle', 'age'])).toBeNull();
  });
});
