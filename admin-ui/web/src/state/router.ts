// The screen and its parameters live in the fragment (#/connections?query=…), so that a link opens the same view anywhere.
import { signal } from '@preact/signals';

export const kScreens = [
  { id: 'overview', key: 'o', name: 'Overview' },
  { id: 'connections', key: 'c', name: 'Connections' },
  { id: 'closed', key: 'x', name: 'Closed' },
  { id: 'latency', key: 'l', name: 'Latency' },
  { id: 'routes', key: 'r', name: 'Routes' },
  { id: 'http2', key: 'h', name: 'HTTP/2' },
  { id: 'reactors', key: 'e', name: 'Reactors' },
  { id: 'server', key: 's', name: 'Server' },
] as const;

export type Screen = (typeof kScreens)[number]['id'];

export interface Place {
  screen: Screen;
  params: Readonly<Record<string, string>>;
}

export function parsePlace(fragment: string): Place {
  const [path = '', search = ''] = fragment.replace(/^#\/?/, '').split('?', 2);
  const found = kScreens.find((candidate) => candidate.id === path);
  return { screen: found?.id ?? 'overview', params: Object.fromEntries(new URLSearchParams(search)) };
}

export function placeHref(screen: Screen, params: Record<string, string | null | undefined> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value) search.set(name, value);
  const text = search.toString();
  return `#/${screen}${text ? `?${text}` : ''}`;
}

export const place = signal<Place>(parsePlace(location.hash));

export function go(screen: Screen, params: Record<string, string | null | undefined> = {}): void {
  const href = placeHref(screen, params);
  location.hash = href.slice(1);
  // Not with the event that follows: the next key may come before it, and belongs to the new screen.
  place.value = parsePlace(href);
}

/** Changes parameters of this screen without a step in the history. */
export function setParams(changes: Record<string, string | null | undefined>): void {
  const href = placeHref(place.value.screen, { ...place.value.params, ...changes });
  history.replaceState(null, '', href);
  place.value = parsePlace(href);
}

window.addEventListener('hashchange', () => {
  const { screen, params } = parsePlace(location.hash);
  if (placeHref(screen, params) !== placeHref(place.peek().screen, place.peek().params)) place.value = { screen, params };
});
