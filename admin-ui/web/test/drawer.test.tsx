// What the drawer says of the request a connection is at, and of the last one of a connection that has ended.
import { render } from 'preact';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ClosedRow, ConnectionDetail, ConnectionRow, RequestRecord } from '../src/api/types';
import { Waterfall } from '../src/screens/latency';
import { link, paused, serverNow } from '../src/state/live';
import { ClosedRecord, Drawer, Live, sameClient } from '../src/ui/drawer';

let host: HTMLElement;
beforeEach(() => {
  host = document.body.appendChild(document.createElement('div'));
});

const row: ConnectionRow = {
  id: '2f.1', peer: '10.0.0.1:4000', listener: 'http', protocol: 'http/1.1', state: 'writing', age_seconds: 3, idle_seconds: 0, requests: 1,
  received_bytes: 80, sent_bytes: 4096, deadline: null, method: 'GET', target: '/huge.bin', route: '/*',
};
const detail = (connection: ConnectionRow): ConnectionDetail => ({ id: connection.id, live: true, taken_at: 0, connection, timeline: [], requests: [], log: [] });
const said = () => host.textContent.replace(/\s+/g, ' ');

describe('a live connection', () => {
  it('names the request it is at, which the ring does not hold yet', () => {
    render(<Live data={detail(row)} row={row} />, host);
    expect(said()).toContain('now at GET /huge.bin on route /*');
    expect(said()).toContain('of 1, one is running');
    expect(said()).toContain('None has finished yet; one is running.');
  });

  it('does not take the request before for the current one', () => {
    const idle: ConnectionRow = { ...row, state: 'idle' };
    render(<Live data={detail(idle)} row={idle} />, host);
    expect(said()).not.toContain('now at');
    expect(said()).toContain('None that the ring still holds.');
  });

  it('counts the streams that are open', () => {
    const h2: ConnectionRow = { ...row, protocol: 'h2', state: 'handling' };
    render(<Live data={{ ...detail(h2), http2: { open: 3, streams: [] } }} row={h2} />, host);
    expect(said()).toContain('None has finished yet; 3 are running.');
  });
});

describe('the drawer', () => {
  const watch = () => {
    const button = host.querySelector<HTMLButtonElement>('.drawer-head button');
    return [button?.textContent.trim(), button?.querySelector('.on') !== null, button?.disabled];
  };
  const becomes = (...state: unknown[]) => vi.waitFor(() => expect(watch()).toEqual(state));
  afterEach(() => {
    render(null, host);
    link.value = 'starting';
    paused.value = false;
    vi.unstubAllGlobals();
  });

  it('says that it watches only while it does', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify(detail(row)))));
    link.value = 'live';
    render(<Drawer id="2f.1" />, host);
    await becomes('Watching', true, false);
    for (const [change, back] of [[() => (link.value = 'down'), () => (link.value = 'live')], [() => (paused.value = true), () => (paused.value = false)]] as const) {
      change();
      await becomes('Watch', false, true);
      back();
      await becomes('Watching', true, false);
    }
    link.value = 'down';
    await becomes('Watch', false, true);
    link.value = 'full'; // its own figures are asked for all the same
    await becomes('Watching', true, false);
  });

  it('does not when nothing could be loaded', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('{"title":"Busy"}', { status: 503 })));
    link.value = 'live';
    render(<Drawer id="2f.1" />, host);
    await becomes('Watch', false, true);
    expect(said()).toContain('This connection could not be shown');
    expect(host.querySelector('.drawer-head .chip')?.textContent).toBe('?');
  });
});

describe('the figures of TCP', () => {
  it('say how old the sample of the list is', () => {
    const sampled: ConnectionRow = { ...row, rtt_seconds: 0.012, retransmits: 3, sample_age_seconds: 4 };
    const data: ConnectionDetail = { ...detail(sampled), taken_at: serverNow() + 60 };
    render(<Live data={{ ...data, tcp: { rtt_seconds: 0.02, limited_receiver_ratio: 0.5, limited_send_buffer_ratio: 0 } }} row={sampled} />, host);
    expect(said()).toContain('limited by receiver 50 %, us 0 %; RTT and retransmits of the list sampled 4.0 s ago');
    // Its reactor is busy: the sample is all there is.
    render(<Live data={data} row={sampled} />, host);
    expect(said()).toContain('TCP RTT and retransmits of the list sampled 4.0 s agoRTT12 msRetransmits3');
    render(<Live data={detail(row)} row={row} />, host);
    expect(said()).not.toContain('sampled');
  });
});

describe('the streams of a connection', () => {
  it('add their blocked times up beside them, not as one of the connection', () => {
    const streams = [{ id: 1, blocked_seconds: 4 }, { id: 3, blocked_seconds: 6 }];
    render(<Live data={{ ...detail({ ...row, protocol: 'h2' }), http2: { open: 2, peak: 2, limit: 128, blocked_seconds: 10, streams } }} row={row} />, host);
    expect(said()).toContain('blocked 10 s, all streams together');
    const cells = [...host.querySelectorAll('.streams tbody tr')].map((line) => line.querySelector('td:nth-child(6)')?.textContent);
    expect(cells).toEqual(['', '4.0 s', '6.0 s']);
  });
});

describe('a finished request', () => {
  const request: RequestRecord = {
    id: 'a', connection: '2f.1', started_at: 1, method: 'GET', target: '/slow', total_seconds: 2, status: null, error_type: 'client_gone',
    phases: { queue_seconds: 0, head_seconds: 0, body_seconds: 0, handler_seconds: 2, write_seconds: 0 },
  };
  it.each([
    [{}, 'client gone'],
    [{ error_type: null }, 'no answer'],
    [{ status: 503, error_type: '503' }, '503'],
  ] satisfies [Partial<RequestRecord>, string][])('says how it was answered: %o', (known, words) => {
    render(<Live data={{ ...detail(row), requests: [{ ...request, ...known }] }} row={row} />, host);
    expect(host.querySelector('.requests tbody td:nth-child(3)')?.textContent).toBe(words);
    render(<Waterfall request={{ ...request, ...known }} />, host);
    expect(host.querySelector('h3')?.textContent).toContain(`total, ${words}`);
    expect(said()).not.toContain('running');
  });
});

describe('the same client', () => {
  it.each([
    ['10.0.0.1:4000', 'client:10.0.0.1'],
    ['[2001:db8::1]:4000', 'client:2001:db8::1'],
    ['10.0.0.0', 'client:10.0.0.0'], // cut by redaction, as the next one
    ['2001:db8:1::', 'client:2001:db8:1::'],
    ['2001:db8::7', 'client:2001:db8::7'], // as a proxy forwards it, without a port
    ['unknown', 'client:unknown'],
  ])('of %s is asked for with its whole address', (client, query) => {
    expect(sameClient(client)).toBe(query);
  });
});

describe('the record of a closed connection', () => {
  const closed: ClosedRow = {
    id: '2f.1', sequence: 1, peer: '10.0.0.1:4000', listener: 'http', protocol: 'http/1.1', reason: 'client_fin_idle', family: 'client', initiator: 'client',
    sentence: '', closed_at: 1, age_seconds: 1, requests: 1, received_bytes: 1, sent_bytes: 1,
  };
  const last = (known: Partial<ClosedRow>) => {
    render(<ClosedRecord row={{ ...closed, ...known }} />, host);
    const term = [...host.querySelectorAll('dt')].find((one) => one.textContent === 'Last request');
    return term?.nextElementSibling?.textContent;
  };

  it.each([
    [{ method: 'GET', target: null, route: '/hello', status: 200 }, 'GET on route /hello, 200'],
    [{ method: 'GET', target: '/hello', route: '/hello', status: 200 }, 'GET /hello, 200'],
    [{ method: 'GET', target: '/a/b', route: '/a/*', status: 404 }, 'GET /a/b on route /a/*, 404'],
    [{ method: 'PUT', target: null, route: null, status: null }, 'PUT'],
    [{ method: null, target: null, route: null, status: 400 }, '400'],
    [{}, 'none'],
  ] satisfies [Partial<ClosedRow>, string][])('says what is known: %o', (known, words) => {
    expect(last(known)).toBe(words);
  });
});
