// Which of the windows over the page is open.
import { signal } from '@preact/signals';

export const helpOpen = signal(false);
export const paletteOpen = signal(false);
export const horizonOpen = signal(false);
export const signInOpen = signal(false);
