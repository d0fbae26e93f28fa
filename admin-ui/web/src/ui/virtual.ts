// Rows on demand: a thin hook over TanStack's virtual core.
import { Virtualizer, elementScroll, observeElementOffset, observeElementRect } from '@tanstack/virtual-core';
import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';

interface Options {
  count: number;
  rowHeight: number;
  /** Height of a head that stays at the top of the scroller, over the rows. */
  headHeight: number;
  scroller: () => HTMLElement | null;
}

export function useVirtual({ count, rowHeight, headHeight, scroller }: Options): Virtualizer<HTMLElement, HTMLElement> {
  const turn = useSignal(0);
  void turn.value;
  const kept = useRef<Virtualizer<HTMLElement, HTMLElement> | null>(null);
  const options = {
    count,
    getScrollElement: scroller,
    estimateSize: () => rowHeight,
    overscan: 8,
    scrollMargin: headHeight,
    scrollPaddingStart: headHeight,
    scrollToFn: elementScroll<HTMLElement>,
    observeElementRect: observeElementRect<HTMLElement>,
    observeElementOffset: observeElementOffset<HTMLElement>,
    onChange: () => {
      turn.value += 1;
    },
  };
  kept.current ??= new Virtualizer<HTMLElement, HTMLElement>(options);
  const virtualizer = kept.current;
  virtualizer.setOptions(options);
  useLayoutEffect(() => virtualizer._didMount(), []);
  useLayoutEffect(() => virtualizer._willUpdate());
  useLayoutEffect(() => virtualizer.measure(), [rowHeight, headHeight]);
  return virtualizer;
}
