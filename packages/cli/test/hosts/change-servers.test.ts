import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { parse } from 'jsonc-parser';
import { beforeEach, describe, expect, it } from 'vitest';
import { run, type Run } from '../run.ts';
import { writeFiles } from './write-files.ts';

let root: string;
let cwd: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'longwire-change-'));
  cwd = join(root, 'work');
  writeFiles(root, { 'home/.keep': '', 'work/.keep': '' });
  return () => rmSync(root, { recursive: true });
});

function servers(words: string[], env: Record<string, string> = {}): Promise<Run> {
  return run(['servers', ...words], { env: { HOME: join(root, 'home'), ...env }, cwd });
}

const textOf = (file = 'longwire.json'): string => readFileSync(join(cwd, file), 'utf8');
const serversIn = (file?: string): Record<string, unknown> =>
  (JSON.parse(textOf(file)) as { servers: Record<string, unknown> }).servers;

describe('servers add', () => {
  it('writes a file where there is none, and allows what it wrote', async () => {
    const added = await servers(['add', 'market', 'https://market.example/mcp']);
    expect(added).toEqual({ code: 0, stdout: '', stderr: 'Added to longwire.json: market\n' });
    expect(textOf()).toBe(
      '{\n  "servers": {\n    "market": {\n      "url": "https://market.example/mcp"\n    }\n  }\n}\n',
    );
    expect((await servers([])).stdout).toMatch(/^market .* allowed$/m);
  });

  it.each<[string[], object, Record<string, string>]>([
    [
      ['it', 'https://h/', '--header', 'Authorization: Bearer ${TOKEN}', '--transport', 'sse'],
      { url: 'https://h/', headers: { authorization: 'Bearer ${TOKEN}' }, transport: 'sse' },
      {},
    ],
    // What a shell has put in is taken out again.
    [
      ['it', 'https://h/?k=my-own-token-1', '--header', 'Authorization: Bearer my-own-token-1'],
      { url: 'https://h/?k=${TOKEN}', headers: { authorization: 'Bearer ${TOKEN}' } },
      { TOKEN: 'my-own-token-1' },
    ],
    [
      ['it', '--env', 'TOKEN', '--env', 'A=b', '--', 'npx', '-y', 'x', '${HOME}'],
      { command: 'npx', args: ['-y', 'x', '$${HOME}'], env: { TOKEN: '${TOKEN}', A: 'b' } },
      { TOKEN: 'my-own-token-1' },
    ],
    [['it', '${URL}/mcp'], { url: '${URL}/mcp' }, {}],
  ])('%j is %j', async (words, expected, env) => {
    expect(await servers(['add', ...words], env)).toMatchObject({ code: 0 });
    expect(serversIn()['it']).toEqual(expected);
    expect(textOf()).not.toContain('my-own-token-1');
  });

  it('allows nothing that a profile of the file makes of it', async () => {
    writeFiles(root, {
      'work/longwire.json': JSON.stringify({
        servers: {},
        profiles: { theirs: { servers: { market: { url: 'https://theirs.example/mcp' } } } },
      }),
      'work/.env': 'LONGWIRE_PROFILE=theirs\n',
    });
    const { code, stderr } = await servers(['add', 'market', 'https://market.example/mcp']);
    expect(code).toBe(0);
    expect(stderr).toContain('longwire servers allow market');
    const listed = (await servers([])).stdout;
    expect(listed).toMatch(/^market +https:\/\/theirs\.example\/mcp .* not allowed$/m);
  });

  it('says that a secret is in the file', async () => {
    const words = ['add', 'it', 'https://h/', '--header', 'X-Api-Key: plain-key-1'];
    const { code, stderr } = await servers(words);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^The value of x-api-key is in longwire\.json now.*'\$\{NAME\}'/m);
    expect(stderr).not.toContain('plain-key-1');
  });

  it.each<[string[], RegExp]>([
    [['it'], /no server given: longwire servers add NAME URL/],
    [
      ['it', 'https://h/', '--timeout', '5s'],
      /--timeout, --deadline and --profile are not written/,
    ],
    [['it', 'nonsense'], /target "nonsense" is not a server/],
    [['it', 'ftp://h/'], /"ftp:\/\/h\/" is not an http or https URL/],
    [['it', 'https://h/', '--', 'x'], /are two servers/],
    [['it', 'https://h/', '--env', 'A=b'], /--env is for a command after --/],
    [['it', '--header', 'a: b', '--', 'x'], /--header is for a URL/],
    [['there', 'https://h/'], /has a server "there": longwire servers remove there first/],
    [['cursor:x', 'https://h/'], /"cursor:x" would be one of another program's servers/],
    [['@all', 'https://h/'], /has a name that is none/],
    [['http://x', 'https://h/'], /has a name that is none/],
    [['__proto__', 'https://h/'], /"__proto__" cannot be a name/],
    [['a\u001b[2Jb', 'https://h/'], /a name is one line, without control characters/],
    [['it', 'https://h/', '--transport', 'stdio'], /is at a URL: stdio is for a command/],
    [['it', 'https://h/', '--config', 'mcp.json'], /mcp\.json is the file of another program/],
    [['it', 'https://h/', '--config', 'broken.json'], /broken\.json:1:\d+: not JSON/],
    [
      ['it', 'https://h/', '--config', 'latin.json'],
      /could not read latin\.json: it is not in UTF-8/,
    ],
    [['it', 'https://h/', '--config', 'folder'], /could not read folder: it is a directory/],
  ])('%j: 2, and every file stays as it was', async (words, message) => {
    const files = {
      'longwire.json': '{ "servers": { "there": { "url": "http://h" } } } // mine',
      'mcp.json': '{ "mcpServers": {} }',
      'broken.json': '{ "servers": {',
      'folder/inside': '',
    };
    writeFiles(cwd, files);
    writeFiles(cwd, { 'latin.json': '' });
    const { writeFileSync } = await import('node:fs');
    writeFileSync(join(cwd, 'latin.json'), Buffer.from('{ "servers": {} } // \xe9', 'latin1'));
    const { code, stdout, stderr } = await servers(['add', ...words]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('\u001b');
    for (const [name, text] of Object.entries(files)) expect(textOf(name)).toBe(text);
  });

  it('writes what a link leads to, and keeps its mode', async () => {
    writeFiles(cwd, { 'real.json': '\uFEFF{ "servers": {} }' });
    const { chmodSync } = await import('node:fs');
    chmodSync(join(cwd, 'real.json'), 0o600);
    symlinkSync('real.json', join(cwd, 'longwire.json'));
    expect((await servers(['add', 'it', 'https://h/'])).code).toBe(0);
    expect(textOf('real.json')).toMatch(/^\uFEFF\{ "servers": \{[^]*"it"/);
    expect(statSync(join(cwd, 'real.json')).mode & 0o777).toBe(0o600);
  });

  it('--json says what it did', async () => {
    const { stdout, stderr } = await servers(['add', 'it', 'https://h/', '--json']);
    expect(JSON.parse(stdout)).toEqual({ file: 'longwire.json', added: ['it'], removed: [] });
    expect(stderr).toBe('');
  });
});

describe('servers remove', () => {
  it('takes it out, and tells what still has it', async () => {
    const text = `{
  "servers": {
    // the market
    "market": { "url": "http://a" },
    "files": { "command": "x" } // files
  },
  "profiles": { "staging": { "servers": { "market": { "url": "http://b" } } } }
}
`;
    writeFiles(cwd, { 'longwire.json': text });
    const { code, stderr } = await servers(['remove', 'market']);
    expect(code).toBe(0);
    expect(stderr).toContain('Profile staging of longwire.json still has market');
    expect(textOf()).toContain('"files": { "command": "x" } // files\n');
    expect(Object.keys(parse(textOf()).servers as object)).toEqual(['files']);
    const wrong = await servers(['remove', 'fils']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('Did you mean files?');
    expect((await servers(['remove', 'cursor:x'])).stderr).toContain('of another program');
  });
});

describe('what is not changed', () => {
  const name = fc
    .stringMatching(/^[a-z](?:[a-z0-9 .\u00e9"-]{0,8}[a-z])?$/)
    .filter((text) => !text.includes('  '));
  const layout = fc.record({
    eol: fc.constantFrom('\n', '\r\n'),
    indent: fc.constantFrom('  ', '\t', '    ', ''),
    comma: fc.boolean(),
    comments: fc.array(fc.constantFrom('// "a": {', '/* , } */', '// ünï 🎉', ''), {
      minLength: 4,
      maxLength: 4,
    }),
    mark: fc.constantFrom('', '\uFEFF'),
  });
  const names = fc.uniqueArray(name, { maxLength: 4 });

  it('comments, layout and other servers stay byte for byte', async () => {
    await fc.assert(
      fc.asyncProperty(layout, names, name, async (style, given, added) => {
        fc.pre(!given.includes(added));
        const { eol, indent, comma, comments, mark } = style;
        const entries = given.map(
          (each, index) =>
            `${indent}${JSON.stringify(each)}: {"url":"http://h/${index}"   /* own ${index} */ }`,
        );
        const end = comma && entries.length > 0 ? ',' : '';
        const text =
          mark +
          [
            `{ ${comments[0]}`,
            `${indent}"$schema": "x",`,
            `${indent}"servers": { ${comments[1]}`,
            `${entries.join(`,${eol}`)}${end}`,
            `${indent}}, ${comments[2]}`,
            `${indent}"profiles": {}`,
            `} ${comments[3]}`,
          ].join(eol);
        writeFiles(cwd, { 'longwire.json': text });
        expect(await servers(['add', added, 'https://h/'])).toMatchObject({ code: 0 });
        const now = textOf();
        // Nothing is lost: what there was is there in its order, with something put in between.
        let at = 0;
        for (const character of text) at = now.indexOf(character, at) + 1 || Infinity;
        expect(at).toBeLessThanOrEqual(now.length);
        for (const entry of entries) expect(now).toContain(entry);
        for (const comment of comments) expect(now).toContain(comment);
        const read = parse(now.replace(/^\uFEFF/, '')) as { servers: object };
        expect(Object.keys(read.servers)).toEqual([...given, added]);
        if (eol === '\r\n') expect(now.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);

        expect(await servers(['remove', added])).toMatchObject({ code: 0 });
        const after = textOf();
        for (const entry of entries) expect(after).toContain(entry);
        for (const comment of comments) expect(after).toContain(comment);
        expect(parse(after.replace(/^\uFEFF/, ''))).toEqual(parse(text.replace(/^\uFEFF/, '')));
      }),
      { numRuns: 60 },
    );
  });
});

describe('servers import', () => {
  const cursor = {
    mcpServers: {
      web: {
        url: 'https://h/mcp',
        headers: { Authorization: 'Bearer plain-token-1', 'X-Team': 'a' },
      },
      run: {
        command: 'npx',
        args: ['${workspaceFolder}', '${env:A}'],
        env: { GITHUB_TOKEN: 'plain-token-2', B: '${env:GITHUB_TOKEN}' },
        disabledTools: ['rm'],
      },
      file: { command: 'x', envFile: '.env' },
    },
  };

  it('copies what another program has, and no secret', async () => {
    writeFiles(root, { 'home/.cursor/mcp.json': JSON.stringify(cursor) });
    const { code, stderr } = await servers(['import', 'cursor']);
    expect(code).toBe(0);
    expect(serversIn()).toEqual({
      web: {
        url: 'https://h/mcp',
        headers: { Authorization: 'Bearer ${WEB_AUTHORIZATION}', 'X-Team': 'a' },
      },
      run: {
        command: 'npx',
        args: [cwd, '${A}'],
        env: { GITHUB_TOKEN: '${GITHUB_TOKEN}', B: '${GITHUB_TOKEN}' },
        tools: { exclude: ['rm'] },
      },
    });
    expect(textOf()).not.toContain('plain-token');
    const lines = stderr.trimEnd().split('\n');
    expect(lines.at(-1)).toMatch(/^Added to longwire\.json: (?:web, run|run, web)$/);
    expect(new Set(lines.slice(0, -1))).toEqual(
      new Set([
        'A secret of web is not copied: set the variable WEB_AUTHORIZATION to it',
        'A secret of run is not copied: set the variable GITHUB_TOKEN to it',
        'file is left out: it has an "envFile", for which a longwire.json has no place: write its "env"',
      ]),
    );
  });

  it('copies no secret of a URL or of the words of a command', async () => {
    const mcpServers = {
      web: { url: 'https://me:plain-secret-1@h/mcp?api_key=plain-secret-2&team=a' },
      run: {
        command: 'npx',
        args: ['x', '--token', 'plain-secret-3', '--api-key=plain-secret-4', '--team', 'a'],
      },
      head: {
        command: 'npx',
        args: ['mcp-remote', '--header', 'Authorization: Bearer plain-secret-5'],
      },
      own: { url: 'https://h/mcp?token=${env:TOKEN}', headers: { 'x-team': 'b' } },
    };
    writeFiles(root, { 'home/.cursor/mcp.json': JSON.stringify({ mcpServers }) });
    const { code, stderr } = await servers(['import', 'cursor']);
    expect(code).toBe(0);
    expect(textOf()).not.toContain('plain-secret');
    expect(serversIn()).toEqual({
      web: { url: 'https://${WEB_USER}@h/mcp?api_key=${WEB_API_KEY}&team=a' },
      run: {
        command: 'npx',
        args: ['x', '--token', '${RUN_TOKEN}', '--api-key=${RUN_API_KEY}', '--team', 'a'],
      },
      head: {
        command: 'npx',
        args: ['mcp-remote', '--header', 'Authorization: Bearer ${HEAD_AUTHORIZATION}'],
      },
      own: { url: 'https://h/mcp?token=${TOKEN}', headers: { 'x-team': 'b' } },
    });
    for (const name of [
      'WEB_USER',
      'WEB_API_KEY',
      'RUN_TOKEN',
      'RUN_API_KEY',
      'HEAD_AUTHORIZATION',
    ]) {
      expect(stderr).toContain(`set the variable ${name} to it`);
    }
  });

  it('copies some, and of a file in TOML, which stays as it is', async () => {
    const toml = '[mcp_servers.a]\nurl = "https://a/"\n\n[mcp_servers.b]\ncommand = "${B}"\n';
    writeFiles(root, { 'work/codex.toml': toml, 'work/longwire.json': '{ "servers": {} } // x' });
    expect((await servers(['import', 'codex.toml', 'b'])).code).toBe(0);
    expect(textOf()).toMatch(/^\{ "servers": \{[^]*\} \/\/ x$/);
    expect(parse(textOf())).toEqual({ servers: { b: { command: '$${B}' } } });
    expect(textOf('codex.toml')).toBe(toml);
  });

  it('leaves what is there', async () => {
    writeFiles(root, {
      'home/.cursor/mcp.json': JSON.stringify(cursor),
      'work/longwire.json': '{ "servers": { "web": { "url": "http://mine" } } }',
    });
    const all = await servers(['import', 'cursor']);
    expect(all.code).toBe(0);
    expect(all.stderr).toContain('web is left out: longwire.json has a server of that name');
    expect(serversIn()['web']).toEqual({ url: 'http://mine' });
    const again = await servers(['import', 'cursor', 'web']);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('has a server "web"');
  });

  it.each<[string[], RegExp]>([
    [['nothing'], /"nothing" is no file, and no program whose files are known/],
    [['curser'], /Did you mean cursor/],
    [['zed'], /there is no file of zed/],
    [['cursor', 'wbe'], /cursor has no server "wbe"\. Did you mean web\?/],
    [['codex'], /~\/\.codex\/config\.toml cannot be used/],
    [['gemini'], /~\/\.gemini\/settings\.json has no servers/],
  ])('%j: 2', async (words, message) => {
    writeFiles(root, {
      'home/.cursor/mcp.json': JSON.stringify(cursor),
      'home/.codex/config.toml': 'x = ',
      'home/.gemini/settings.json': '{}',
    });
    const { code, stderr } = await servers(['import', ...words]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(existsSync(join(cwd, 'longwire.json'))).toBe(false);
  });
});
