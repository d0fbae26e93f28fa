// A small evaluator of the query language for the development server.

const kScale = { ms: 0.001, s: 1, m: 60, h: 3600, k: 1024, M: 1048576, G: 1073741824 };
const kNames = { age: 'age_seconds', idle: 'idle_seconds', unused: 'idle_seconds', received: 'received_bytes', sent: 'sent_bytes', in_rate: 'received_bytes_per_second', out_rate: 'sent_bytes_per_second', rtt: 'rtt_seconds', pending: 'pending_bytes', memory: 'memory_bytes', limited: 'limited_by', proto: 'protocol' };
const kFields = ['id', 'peer', 'client', 'listener', 'protocol', 'state', 'tls', 'sni', 'reactor', 'slot', 'age', 'idle', 'unused', 'requests', 'received', 'sent', 'in_rate', 'out_rate', 'streams', 'rtt', 'retransmits', 'pending', 'memory', 'method', 'target', 'route', 'deadline', 'timer', 'limited', 'reason', 'initiator', 'family', 'status'];

export class BadQuery extends Error {
  constructor(position, length, message) {
    super(message);
    this.problem = { type: 'bad-query', title: 'Bad query', status: 400, detail: message, position, length, fields: kFields };
  }
}

const number = (text) => {
  const match = /^([0-9.]+)(ms|s|m|h|k|M|G)?$/.exec(text);
  return match ? Number(match[1]) * (match[2] ? kScale[match[2]] : 1) : NaN;
};
const wild = (value) => new RegExp(`^${value.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`, 'i');

export function compile(text) {
  const tests = [];
  for (const match of text.matchAll(/(-?)(?:([a-z_0-9]+)(>=|<=|:|>|<))?("[^"]*"|\S+)/gi)) {
    const [raw, minus, field, op, quoted] = match;
    const value = quoted.replaceAll('"', '');
    let test;
    if (!field) test = (row) => `${row.peer} ${row.client ?? ''} ${row.target ?? ''}`.includes(value);
    else {
      if (!kFields.includes(field) && field !== 'proto') throw new BadQuery(match.index + minus.length, field.length, `No field ${field}`);
      const get = (row) => (field === 'deadline' ? row.deadline?.seconds_left : field === 'timer' ? (row.deadline?.kind ?? row.timer) : field === 'client' ? (row.client ?? row.peer) : row[kNames[field] ?? field]);
      if (op === ':') {
        const pattern = wild(value);
        const isAddress = field === 'peer' || field === 'client'; // which may be written without its port
        test = (row) => pattern.test(String(get(row) ?? '')) || (isAddress && pattern.test(String(get(row) ?? '').replace(/^(?:\[(.*)\]|([^:]*)):\d+$/, '$1$2')));
      } else {
        const bound = number(value);
        if (Number.isNaN(bound)) throw new BadQuery(match.index, raw.length, `${value} is not a number`);
        test = (row) => {
          const have = get(row);
          if (have === null || have === undefined) return false;
          return op === '>' ? have > bound : op === '<' ? have < bound : op === '>=' ? have >= bound : have <= bound;
        };
      }
    }
    tests.push(minus ? (row) => !test(row) : test);
  }
  return (row) => tests.every((test) => test(row));
}

export function sorter(field = 'id', order = 'asc') {
  const name = field === 'deadline' ? null : (kNames[field] ?? field);
  const value = (row) => (name === null ? row.deadline?.seconds_left : row[name]) ?? -1;
  const sign = order === 'desc' ? -1 : 1;
  return (a, b) => {
    const [x, y] = [value(a), value(b)];
    return sign * (x < y ? -1 : x > y ? 1 : 0) || (a.id < b.id ? -1 : 1);
  };
}
