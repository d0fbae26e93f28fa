// One place for the keyboard. Screens register what they offer; the help lists exactly what is registered.
import { signal } from '@preact/signals';
import { useLayoutEffect } from 'preact/hooks';
import { singleKeys } from './prefs';
import { go, kScreens } from './router';

export interface Binding {
  key: string;
  what: string;
  run: (event: KeyboardEvent) => void;
  /** Works while a text field has the focus. */
  inFields?: boolean;
}

const layers = signal<{ name: string; bindings: Binding[] }[]>([]);
export const bindings = layers;
export const awaitingScreen = signal(false);
/** A dialog is open: only its own keys count. */
export const modalDepth = signal(0);

function register(name: string, list: Binding[]): () => void {
  const layer = { name, bindings: list };
  // What belongs to a screen comes before what works everywhere, whichever was mounted first.
  layers.value = name === 'Everywhere' ? [layer, ...layers.value] : [...layers.value, layer];
  return () => {
    layers.value = layers.value.filter((other) => other !== layer);
  };
}

/** The keys of a component, from before it is painted until it is gone: who sees it may press one, and the next key may come before the
 * next frame. The list is taken anew when something in `inputs` changes. */
export function useKeys(name: string, list: () => Binding[], inputs: readonly unknown[] = []): void {
  useLayoutEffect(() => register(name, list()), inputs as unknown[]);
}

export function isField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || (target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'range'].includes(target.type));
}

function keyName(event: KeyboardEvent): string {
  if (event.ctrlKey || event.metaKey) return `Mod+${event.key.toLowerCase()}`;
  if (event.key === ' ') return event.shiftKey ? 'Shift+Space' : 'Space';
  if (event.shiftKey && event.key.length === 1 && /[a-z]/i.test(event.key)) return `Shift+${event.key.toLowerCase()}`;
  return event.key;
}

let screenTimer = 0;
function expectScreen(on: boolean): void {
  clearTimeout(screenTimer);
  awaitingScreen.value = on;
  if (on) screenTimer = window.setTimeout(() => expectScreen(false), 1500);
}

export function handleKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.altKey || event.isComposing) return;
  const name = keyName(event);
  const typing = isField(event.target);
  const single = /^(Shift\+)?.$/u.test(name);
  if (single && !singleKeys.value && name !== '?') return;
  if (awaitingScreen.value && single) {
    const screen = kScreens.find((candidate) => candidate.key === name);
    expectScreen(false);
    if (screen) {
      event.preventDefault();
      go(screen.id);
      return;
    }
  }
  if (modalDepth.value > 0 && name !== 'Mod+k') return;
  if (name === 'g' && !typing) {
    expectScreen(true);
    return;
  }
  // Enter, Space and arrows belong to the control that has the focus; Space scrolls a region that has it.
  const onControl = event.target instanceof HTMLElement && event.target.matches('a, button, select, summary, input, [role="application"]');
  const onRegion = event.target instanceof HTMLElement && event.target.matches('[role="region"]');
  for (const layer of [...layers.value].reverse()) {
    const binding = layer.bindings.find((candidate) => candidate.key.split(' ').includes(name));
    if (!binding) continue;
    if (typing && !binding.inFields) return;
    if (onControl && ['Enter', 'Space', 'ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight'].includes(name)) return;
    if (onRegion && name === 'Space') return;
    event.preventDefault();
    binding.run(event);
    return;
  }
}

export function startKeys(): void {
  window.addEventListener('keydown', handleKey);
}
