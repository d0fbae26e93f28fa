// Calls to the Admin API. Every failure becomes an ApiError that carries a problem document, so that screens have one shape to show.
import type { Problem } from './types';

export const apiBase = new URL('api/v1/', document.baseURI).pathname;

export class ApiError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail ?? problem.title);
    this.problem = problem;
  }
  get status(): number {
    return this.problem.status;
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
type Params = Record<string, string | number | null | undefined>;

export function apiUrl(path: string, params: Params = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== null && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return apiBase + path + (text ? `?${text}` : '');
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as Problem;
    if (typeof body.title === 'string') return { ...body, status: response.status };
  } catch {
    // Not JSON: an intermediary answered. The status is all there is to say.
  }
  return { type: 'about:blank', title: response.statusText || 'The server refused', status: response.status };
}

export const unauthenticated = new EventTarget();

async function call<T>(method: Method, path: string, params: Params, body: unknown, action: boolean, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (body !== undefined || method !== 'GET') headers['Content-Type'] = 'application/json';
  if (action) headers['X-Equinox-Action'] = '1';
  let response: Response;
  try {
    response = await fetch(apiUrl(path, params), {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
      signal,
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError({ type: 'unreachable', title: 'The server does not answer', status: 0 });
  }
  if (!response.ok) {
    const problem = await problemOf(response);
    if (response.status === 401 && path !== 'session') unauthenticated.dispatchEvent(new Event('signin'));
    throw new ApiError(problem);
  }
  return (response.status === 204 ? undefined : await response.json()) as T;
}

export const get = <T>(path: string, params: Params = {}, signal?: AbortSignal) => call<T>('GET', path, params, undefined, false, signal);
/** A read that happens to need a body; it changes nothing on the server. */
export const ask = <T>(method: 'POST' | 'PUT', path: string, body: unknown, signal?: AbortSignal) => call<T>(method, path, {}, body, false, signal);
/** A change: audited, refused without the role for it. */
export const act = <T>(method: Method, path: string, body: unknown = {}) => call<T>(method, path, {}, body, true);

export function problemOfError(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem;
  return { type: 'client', title: error instanceof Error ? error.message : String(error), status: 0 };
}
