// What the close dialog says before it is confirmed.
import { describe, expect, it } from 'vitest';
import { effect } from '../src/ui/close-dialog';

describe('the effect of closing connections', () => {
  it.each([
    ['close', 1, '1 is in a request and would be cut.'],
    ['close', 3, '3 are in a request and would be cut.'],
    ['drain', 1, '1 finishes its request first.'],
    ['drain', 3, '3 finish their requests first.'],
    ['close', 0, 'None is in a request.'],
    ['drain', 0, 'None is in a request.'],
  ])('%s, %i in a request', (mode, mid_request, words) => {
    expect(effect({ count: 5, mid_request }, mode)).toBe(words);
  });
});
