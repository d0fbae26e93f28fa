// An empty answer says which term it is that leaves nothing.
import { render } from 'preact';
import { afterEach, expect, it } from 'vitest';
import { Nothing } from '../src/screens/connections';
import { answer } from '../src/state/connections';

const host = document.createElement('div');
afterEach(() => {
  answer.value = null;
  render(null, host);
});
const show = (query: string, total_without: { term: string; total: number }[]) => {
  answer.value = { handle: 'h', total: 0, by_state: {}, by_protocol: {}, taken_at: 0, query, total_without };
  let ran = '';
  render(<Nothing query={query} onRun={(text) => (ran = text)} />, host);
  return () => ran;
};

it('names what each term costs, and drops it', () => {
  const ran = show('proto:h2c idle>30s', [{ term: 'proto:h2c', total: 0 }, { term: 'idle>30s', total: 285 }]);
  expect(host.textContent).toContain('Without idle>30s it would be 285.');
  expect(host.textContent).not.toContain('Without proto:h2c');
  [...host.querySelectorAll('button')].find((button) => button.textContent === 'Drop idle>30s')?.click();
  expect(ran()).toBe('proto:h2c');
});

it('says no more than that all are open where there is one term', () => {
  show('proto:h2c', [{ term: 'proto:h2c', total: 12 }]);
  expect(host.textContent).not.toContain('Without');
});
