// A token becomes a session cookie; the token itself is kept nowhere in the browser.
import { useSignal } from '@preact/signals';
import { act, ask, problemOfError } from '../api/client';
import type { Session } from '../api/types';
import { connect, link, session } from '../state/live';
import { signInOpen } from '../state/windows';
import { Dialog } from './dialog';
import { Banner, Kbd } from './parts';

function Form() {
  const token = useSignal('');
  const said = useSignal('');
  const busy = useSignal(false);
  const submit = async () => {
    busy.value = true;
    said.value = '';
    try {
      session.value = await ask<Session>('POST', 'session', { token: token.value.trim() });
      token.value = '';
      signInOpen.value = false;
      link.value = 'starting';
      connect();
    } catch (error) {
      const problem = problemOfError(error);
      said.value = problem.status === 401 ? 'This token is not known here.' : (problem.detail ?? problem.title);
    } finally {
      busy.value = false;
    }
  };
  return (
    <form
      class="sign-in"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <label>
        Token
        <input type="password" autocomplete="current-password" required value={token.value} onInput={(event) => (token.value = event.currentTarget.value)} />
      </label>
      {said.value ? <Banner look="bad" mark="!" role="alert">{said.value}</Banner> : null}
      <p class="sub">Made with <code>equinox token</code>; only its hash is stored on the server.</p>
      <div class="dialog-actions"><button type="submit" class="primary" disabled={busy.value || token.value === ''}>Sign in <Kbd>↵</Kbd></button></div>
    </form>
  );
}

/** The one page without the shell. */
export function SignInPage() {
  return (
    <main class="sign-in-page">
      <div class="panel">
        <h1>Equinox</h1>
        <Form />
      </div>
    </main>
  );
}

export function SignInDialog() {
  const done = () => (signInOpen.value = false);
  const out = async () => {
    await act('DELETE', 'session').catch(() => undefined);
    done();
    session.value = null;
    link.value = 'starting';
    connect();
  };
  const how = session.value?.how;
  return (
    <Dialog label="Session" onClose={done}>
      <h2>{session.value ? `${session.value.actor}, ${session.value.role}` : 'Sign in'}</h2>
      {how === 'loopback' ? (
        <>
          <p>The admin address is loopback and no tokens file is set, so every local user has this role.</p>
          <div class="dialog-actions"><button onClick={done}>Close</button></div>
        </>
      ) : (
        <>
          <Form />
          <div class="dialog-actions">{how === 'cookie' ? <button onClick={() => void out()}>Sign out</button> : null}<button onClick={done}>Cancel <Kbd>Esc</Kbd></button></div>
        </>
      )}
    </Dialog>
  );
}
