import { expect, it } from 'vitest';
import { startHttpFixture, type HttpFixture } from '../../../../test/support/http-fixture.ts';
import { run } from '../run.ts';

const dies = 'console.error(["no", "tea"].join(" ")); process.exit(4)';

const failures: Record<string, string[]> = {
  'a dead port': ['http://127.0.0.1:9/mcp'],
  'a server that wants a login': ['ORIGIN/401'],
  'nothing there': ['ORIGIN/404'],
  'a web page': ['ORIGIN/page'],
  'a connection that is dropped': ['ORIGIN/dropped'],
  'a program that is not there': ['--', 'no-such-program'],
  'a program that exits': ['--', process.execPath, '-e', dies],
};

function startOdd(): Promise<HttpFixture> {
  return startHttpFixture(({ url }, response) => {
    if (url.startsWith('/401')) response.writeHead(401).end('who are you?');
    else if (url.startsWith('/404')) response.writeHead(404).end('not here');
    else if (url.startsWith('/page')) {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<title>Hello</title>');
    } else response.destroy();
  });
}

it.each(Object.entries(failures))(
  '%s is said once, and more of it with -v, once',
  async (_, words) => {
    await using server = await startOdd();
    const args = words.map((word) => word.replace('ORIGIN', server.origin));
    const plain = await run(['tools', ...args]);
    expect(plain.stderr).toMatch(/^error: [^\n]+\n$/);
    expect(plain.stdout).toBe('');
    for (const flag of ['-v', '--trace']) {
      const { code, stderr } = await run(['tools', flag, ...args]);
      expect(code).toBe(plain.code);
      expect(stderr.match(/^error: /gm)).toHaveLength(1);
      // A request that is sent twice is told twice.
      const lines = stderr
        .split('\n')
        .filter((line) => !/^ {2}(?:POST|GET) |^ *\d|^ {8}|^$/.test(line));
      expect(lines).toEqual([...new Set(lines)]);
      const [because] = /(?<=^ {2}because: ).+$/m.exec(stderr) ?? [];
      if (because !== undefined) expect(stderr.split(because)).toHaveLength(2);
      expect(stderr.split('no tea').length).toBeLessThanOrEqual(2);
    }
  },
);
