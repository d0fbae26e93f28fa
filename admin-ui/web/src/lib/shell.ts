// Commands to be pasted into a shell. Parts of them come from the address and over the wire: they stay one argument each.

/** An argument as a POSIX shell reads it: in single quotes, unless it is of harmless characters only. A space before two dashes, which
 * mean nothing in a query, keeps it from being an option. */
export function shellQuote(argument: string): string {
  if (argument.startsWith('--')) return shellQuote(` ${argument}`);
  if (/^[\w@%+=:,./-]+$/.test(argument)) return argument;
  return `'${argument.replaceAll("'", "'\\''")}'`;
}

export const shellCommand = (...words: string[]): string => words.map(shellQuote).join(' ');
