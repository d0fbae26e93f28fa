// What is copied as a command is one command, whatever a link has put into it.
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { shellCommand, shellQuote } from '../src/lib/shell';

it('leaves plain words as they are', () => {
  expect(shellCommand('equinox', 'why', '3-1f3a-7')).toBe('equinox why 3-1f3a-7');
  expect(shellCommand('equinox', 'why', 'reason:header_timeout')).toBe('equinox why reason:header_timeout');
});

it('quotes everything else', () => {
  expect(shellCommand('equinox', 'conns', 'idle>30s')).toBe("equinox conns 'idle>30s'");
  expect(shellQuote('')).toBe("''");
  expect(shellQuote("a'b")).toBe("'a'\\''b'");
});

it('makes no option of a query', () => {
  expect(shellCommand('equinox', 'why', '--admin=192.0.2.1:80')).toBe("equinox why ' --admin=192.0.2.1:80'");
  expect(shellCommand('equinox', 'why', '-state:idle')).toBe('equinox why -state:idle');
});

it.each(["x'; touch /tmp/hit; '", '$(id)', '`id`', 'a\nb', '* ~', "''", '1·2', '"$HOME"', '\\'])('a shell reads %j as one argument', (text) => {
  const { stdout } = spawnSync('sh', ['-c', `printf '[%s]' ${shellQuote(text)}`], { encoding: 'utf8' });
  expect(stdout).toBe(`[${text}]`);
});
