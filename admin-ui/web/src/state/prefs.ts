// What a person chose in this browser. Storage may be forbidden; the choice then lasts as long as the page.
import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';
export interface SavedView {
  name: string;
  query: string;
  sort?: string;
  order?: 'asc' | 'desc';
}

function stored<T>(name: string, fallback: T, valid: (value: unknown) => boolean) {
  const key = `equinox.${name}`;
  let initial = fallback;
  try {
    const text = localStorage.getItem(key);
    if (text !== null) {
      const value: unknown = JSON.parse(text);
      if (valid(value)) initial = value as T;
    }
  } catch {
    // Storage is off or holds something old: start from the default.
  }
  const choice = signal<T>(initial);
  let first = true;
  effect(() => {
    const text = JSON.stringify(choice.value);
    if (first) {
      first = false;
      return;
    }
    try {
      localStorage.setItem(key, text);
    } catch {
      // The choice still holds for this page.
    }
  });
  return choice;
}

const strings = (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === 'string');

export const theme = stored<Theme>('theme', 'system', (v) => v === 'system' || v === 'light' || v === 'dark');
export const compact = stored('compact', false, (v) => typeof v === 'boolean');
export const singleKeys = stored('keys', true, (v) => typeof v === 'boolean');
export const columns = stored<string[] | null>('columns', null, (v) => v === null || strings(v));
export const savedViews = stored<SavedView[]>('views', [], (v) => Array.isArray(v) && v.every((i: SavedView) => typeof i?.name === 'string' && typeof i.query === 'string'));

const night = matchMedia('(prefers-color-scheme: dark)');
export const systemDark = signal(night.matches);
night.addEventListener('change', (event) => {
  systemDark.value = event.matches;
});

export const isDark = () => (theme.value === 'system' ? systemDark.value : theme.value === 'dark');

export function toggleTheme(): void {
  theme.value = isDark() ? 'light' : 'dark';
}

effect(() => {
  const root = document.documentElement;
  if (theme.value === 'system') delete root.dataset.theme;
  else root.dataset.theme = theme.value;
  root.dataset.density = compact.value ? 'compact' : 'normal';
});
