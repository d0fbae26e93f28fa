// A running job is stopped by who may act; a refusal is shown.
import { render } from 'preact';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Job, Role, Session } from '../src/api/types';
import { jobs, link, session } from '../src/state/live';
import { JobBanners } from '../src/ui/close-dialog';

const host = document.body.appendChild(document.createElement('div'));
const stop = () => host.querySelector<HTMLButtonElement>('.banner button');
const as = (role: Role) => (session.value = { role, actor: 'a', how: 'cookie' } as Session);

beforeEach(() => {
  jobs.value = new Map([['j', { id: 'j', kind: 'close', state: 'running', total: 300, done: 1 } as Job]]);
  link.value = 'live';
});
afterEach(() => {
  render(null, host);
  jobs.value = new Map();
  link.value = 'starting';
  session.value = null;
  vi.unstubAllGlobals();
});

it('a viewer cannot stop it, and is told why', () => {
  as('viewer');
  render(<JobBanners />, host);
  expect(stop()?.disabled).toBe(true);
  expect(stop()?.textContent).toBe('Stop: needs the role operator');
});

it('nobody can without a connection', () => {
  as('operator');
  link.value = 'down';
  render(<JobBanners />, host);
  expect(stop()?.textContent).toBe('Stop: not connected');
});

it('a refusal is shown', async () => {
  as('operator');
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify({ title: 'Forbidden', detail: 'Not yours.' }), { status: 403 })));
  render(<JobBanners />, host);
  stop()?.click();
  await vi.waitFor(() => expect(host.querySelector('dialog')?.textContent).toContain('Stopping was refused403 · ForbiddenNot yours.'));
});
