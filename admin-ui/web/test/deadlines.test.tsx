// The number beside the slider and the list behind it are of the same connections.
import { render } from 'preact';
import { describe, expect, it } from 'vitest';
import type { Deadlines } from '../src/api/types';
import { DeadlinePanel } from '../src/screens/deadlines';

describe('the slider of the idle timeout', () => {
  it('leads to those whose timeout has been running so long', () => {
    const host = document.body.appendChild(document.createElement('div'));
    const deadlines: Deadlines = {
      taken_at: 0, total: 3, none: 0, window_seconds: 60, by_kind: { idle: 3 }, left: {},
      elapsed: { idle: { timeout_seconds: 8, counts: [1, 0, 0, 0, 1, 1, 0, 0], over: 0 } },
    };
    render(<DeadlinePanel deadlines={deadlines} />, host);
    const link = host.querySelector<HTMLAnchorElement>('.what-if a');
    expect(link?.textContent).toBe('2');
    expect(new URLSearchParams(link?.hash.split('?')[1]).get('query')).toBe('unused>=4s');
    render(null, host);
  });
});
