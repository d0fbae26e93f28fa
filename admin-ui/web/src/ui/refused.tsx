// An action that the server has refused, and why.
import type { Problem } from '../api/types';
import { Dialog } from './dialog';

export interface Refusal {
  what: string;
  problem: Problem;
}

export function RefusedDialog({ what, problem, onClose }: Refusal & { onClose: () => void }) {
  return (
    <Dialog label="Refused" onClose={onClose}>
      <h2>{what} was refused</h2>
      <p class="mono">{problem.status} · {problem.title}</p>
      {problem.detail ? <p>{problem.detail}</p> : null}
      <p>Nothing was changed.</p>
      <div class="dialog-actions"><button onClick={onClose}>Close this message</button></div>
    </Dialog>
  );
}
