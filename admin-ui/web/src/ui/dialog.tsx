// A modal on the browser's own <dialog>: it traps the focus, gives it back, and closes with Escape.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { modalDepth } from '../state/keys';

interface Props {
  label: string;
  onClose: () => void;
  cls?: string;
  children: ComponentChildren;
}

export function Dialog({ label, onClose, cls = '', children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  // Open before it is painted: what is typed next belongs to it, however soon it comes.
  useLayoutEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    element?.scrollTo(0, 0); // It is read from its begin, wherever the focus is.
    modalDepth.value += 1;
    return () => {
      modalDepth.value -= 1;
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`dialog ${cls}`}
      aria-label={label}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        // Who follows a link looks at what it leads to, and that lies below this.
        if (event.target === dialog.current || (event.target as Element).closest('a')) onClose();
      }}
    >
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}
