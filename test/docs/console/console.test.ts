import { expect, it } from 'vitest';
import { matches } from './match.ts';
import { parseConsole } from './parse.ts';
import { createRoom } from './run.ts';
import { startDocumented } from './servers.ts';
import { updatedBlock } from './update.ts';

it('a command goes on after a backslash and in a heredoc, and ends with its code', () => {
  const text = `$ cat <<'EOF'
$ not a command
EOF
$ not a command

$ echo a \\
  b
a b
$ exit 3
…
(exit 3)
`;
  expect(() => parseConsole(text)).not.toThrow();
  expect(parseConsole(text.replace('EOF\n$ not', 'EOF\nnot'))).toEqual([
    { command: "cat <<'EOF'\n$ not a command\nEOF", expected: ['not a command'], code: 0 },
    { command: 'echo a \\\n  b', expected: ['a b'], code: 0 },
    { command: 'exit 3', expected: ['…'], code: 3 },
  ]);
  expect(() => parseConsole('a b\n$ echo a b\n')).toThrow('"a b" is below no command');
});

it('an ellipsis stands for any text of a line, or for any lines, and nothing else does', () => {
  const lines = ['name   127.0.0.1  3 ms', '', 'port  12 ms'];
  expect(matches(['name  127.0.0.1  … ms', '', 'port  … ms'], lines)).toBe(true);
  expect(matches(['…', 'port  … ms'], lines)).toBe(true);
  expect(matches(['port  … ms'], ['port  1.2 s'])).toBe(true);
  expect(matches(['port  … ms'], ['port  none'])).toBe(false);
  expect(matches(['name …', '…'], lines)).toBe(true);
  expect(matches([...lines, '…'], lines)).toBe(true);
  expect(matches(['…'], [])).toBe(true);
  expect(matches(['name …', '…', 'port  … s'], lines)).toBe(false);
  expect(matches(['name …'], lines)).toBe(false);
  expect(matches([], lines)).toBe(false);
  expect(matches(['name 127.0.0.1  … ms', '…'], lines)).toBe(false);
});

it('what comes otherwise replaces what is written, and what matches stays', () => {
  const text = '$ one\nit took … ms\n\n$ two\nold\n';
  const took = { lines: ['it took 12 ms'], code: 0 };
  expect(updatedBlock(text, [took, { lines: ['old'], code: 0 }])).toBe(text);
  expect(updatedBlock(text, [took, { lines: ['new, 1.5s'], code: 4 }])).toBe(
    '$ one\nit took … ms\n\n$ two\nnew, …\n(exit 4)\n',
  );
});

it('commands find the servers of the page, and are shown with its addresses', async () => {
  const text = 'curl http://127.0.0.1:3999/mcp';
  await using servers = await startDocumented(text);
  await using room = await createRoom(servers);
  const real = servers.real(text);
  expect(real).not.toBe(text);
  expect(servers.documented(real)).toBe(text);
  const commands = [`echo ${text}; pwd; echo "$given"`, 'test -d /home/you/work && false'];
  const came = await room.run([...commands, 'longwire --nonsense', 'false'], 'given=6');
  expect(came[0]).toEqual({ lines: [text, '/home/you/work', '6'], code: 0 });
  expect(came.slice(1).map(({ code }) => code)).toEqual([1, 2, 1]);
  expect(came[2]?.lines[0]).toContain("unknown option '--nonsense'");
  await expect(room.run(['echo a', 'exit 4', 'echo b'], '')).rejects.toThrow('$ exit 4');
  await expect(startDocumented('http://127.0.0.1:3456')).rejects.toThrow('no port 3456');
});
