// Sorting the grid of connections with the keyboard.
import { render } from 'preact';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nextSort, sortingOf, type ConnColumn } from '../src/screens/conn-columns';
import { ConnGrid } from '../src/screens/conn-grid';
import { handleKey } from '../src/state/keys';
import { order, selected, selectNone } from '../src/state/connections';
import { singleKeys } from '../src/state/prefs';
import { place } from '../src/state/router';

const column = (id: string, sort?: string): ConnColumn => ({ id, head: id, what: id, width: 60, sort, leaves: 1, cell: () => id });

describe('the key s', () => {
  it('walks the columns that can be seen and sorted by', () => {
    const shown = [column('peer', 'peer'), column('tls'), column('age', 'age')];
    expect(nextSort(shown, 'id')).toBe('peer'); // sorted by a column that is hidden
    expect(nextSort(shown, 'peer')).toBe('age');
    expect(nextSort(shown, 'age')).toBe('peer');
    expect(nextSort([], 'age')).toBe('age');
  });
});

describe('the keys of the grid', () => {
  let host: HTMLElement;
  beforeEach(() => {
    place.value = { screen: 'connections', params: {} };
    host = document.body.appendChild(document.createElement('div'));
    render(<ConnGrid {...sortingOf({})} total={0} />, host);
  });
  afterEach(() => render(null, host));
  const press = (key: string, shiftKey = false) => handleKey(new KeyboardEvent('keydown', { key, shiftKey }));

  it('turn an order around that nobody has chosen', () => {
    press('S', true);
    expect(sortingOf(place.value.params)).toEqual({ sort: 'id', order: 'desc' });
    press('S', true);
    expect(sortingOf(place.value.params)).toEqual({ sort: 'id', order: 'asc' });
  });

  it('sort by no column that is not there', () => {
    const heads = [...host.querySelectorAll('[role=columnheader] button')].map((head) => head.textContent.replace(/ [↑↓]$/, ''));
    const seen = new Set<string | undefined>();
    for (let n = 0; n < 30; n += 1) {
      press('s');
      seen.add(place.value.params.sort);
    }
    expect(heads).not.toContain('listener');
    expect(seen).not.toContain('listener');
    expect(seen.size).toBe(heads.length);
  });

  it('select and sort where single letters are turned off, too', () => {
    order.value = new Map([[0, 'a'], [1, 'b'], [2, 'c']]);
    singleKeys.value = false;
    press('x');
    expect(selected.value.size).toBe(0);
    press(' ');
    expect([...selected.value]).toEqual(['a']);
    expect(host.querySelectorAll('[role=columnheader] button[tabindex="-1"]').length).toBe(0);
    singleKeys.value = true;
    selectNone();
    order.value = new Map();
  });

  it('leave Space to a region that scrolls', () => {
    order.value = new Map([[0, 'a']]);
    const region = host.appendChild(document.createElement('div'));
    region.setAttribute('role', 'region');
    region.addEventListener('keydown', handleKey);
    region.dispatchEvent(new KeyboardEvent('keydown', { key: ' ' }));
    expect(selected.value.size).toBe(0);
    order.value = new Map();
  });
});
