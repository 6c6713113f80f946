import type { Program } from './programs.ts';

/** A job of the newcomer's list, and how it is done by each program. */
export interface Job {
  title: string;
  /** What an answer to it has to say. */
  wanted: RegExp;
  /** What is there before, as lines for sh. */
  given?: string;
  /** What one types, in a line or several. Where there is no way, what comes nearest. */
  ways: Readonly<Record<Program, string>>;
}

const everything = 'http://127.0.0.1:3001/mcp';
const gateway = 'http://127.0.0.1:3003/mcp';
const guarded = 'http://127.0.0.1:3004/mcp';
const template = 'demo://resource/dynamic/text/{resourceId}';
const pipe = `echo '{"a":1,"b":2}' |`;
const features = 'demo://resource/static/document/features.md';

/** How mcporter takes an address of plain http. */
const plain = (url: string): string => `--http-url ${url} --allow-http`;

const inspector = (url: string, method: string): string =>
  `mcp-inspector --cli ${url} --method ${method}`;

const cursorFile = `mkdir -p ~/.cursor && cat > ~/.cursor/mcp.json <<'EOF'
{ "mcpServers": { "github": { "url": "${everything}" } } }
EOF
`;

/** A person who says yes to everything. */
const browser = `printf '#!/bin/sh\\ncurl -sLo /dev/null -H "Sec-Fetch-Mode: navigate" -c "$HOME/cookies" -b "$HOME/cookies" "$1"\\n' > "$HOME/../bin/xdg-open"
chmod +x "$HOME/../bin/xdg-open"
export DISPLAY=:0
`;

export const JOBS: readonly Job[] = [
  {
    title: 'What is this server?',
    wanted: /everything.*2\.0\.0|2\.0\.0.*everything/is,
    ways: {
      longwire: 'longwire inspect http://127.0.0.1:3001',
      mcporter: `mcporter list ${plain(everything)} --status`,
      'mcp-inspector': inspector(everything, 'initialize'),
      fastmcp: `fastmcp inspect ${everything}`,
    },
  },
  {
    title: 'Its tools',
    wanted: /trigger-long-running-operation/,
    ways: {
      longwire: 'longwire tools http://127.0.0.1:3001',
      mcporter: `mcporter list ${plain(everything)}`,
      'mcp-inspector': inspector(everything, 'tools/list'),
      fastmcp: `fastmcp list ${everything}`,
    },
  },
  {
    title: 'One tool of 209, with its arguments and their limits',
    wanted: /mail_list_label(?!.*crm_list_label).*100/s,
    ways: {
      longwire: `longwire tools ${gateway} mail_list_label`,
      mcporter: `mcporter config add gateway ${gateway}\nmcporter list gateway.mail_list_label --schema`,
      'mcp-inspector': inspector(gateway, 'tools/list'),
      fastmcp: `fastmcp list ${gateway} --input-schema`,
    },
  },
  {
    title: 'The tools of one service among 209',
    wanted: /^(?!.*crm_).*mail_list_label/s,
    ways: {
      longwire: `longwire tools ${gateway} 'mail_*'`,
      mcporter: `mcporter list ${plain(gateway)} --brief | grep mail_`,
      'mcp-inspector': `${inspector(gateway, 'tools/list')} | grep '"mail_'`,
      fastmcp: `fastmcp list ${gateway} | grep mail_`,
    },
  },
  {
    title: 'Call a tool',
    wanted: /sum of 1 and 2 is 3/,
    ways: {
      longwire: 'longwire call http://127.0.0.1:3001 get-sum a=1 b=2',
      mcporter: `mcporter call ${plain(everything)} get-sum a=1 b=2`,
      'mcp-inspector': `${inspector(everything, 'tools/call')} --tool-name get-sum --tool-arg a=1 b=2`,
      fastmcp: `fastmcp call ${everything} get-sum a=1 b=2`,
    },
  },
  {
    title: 'An argument that is wrong',
    wanted: /number/,
    ways: {
      longwire: 'longwire call http://127.0.0.1:3001 get-sum a=one b=2',
      mcporter: `mcporter call ${plain(everything)} get-sum a=one b=2`,
      'mcp-inspector': `${inspector(everything, 'tools/call')} --tool-name get-sum --tool-arg a=one b=2`,
      fastmcp: `fastmcp call ${everything} get-sum a=one b=2`,
    },
  },
  {
    title: 'A name that is misspelt',
    wanted: /get-sum\b/,
    ways: {
      longwire: 'longwire call http://127.0.0.1:3001 get-summ a=1 b=2',
      mcporter: `mcporter call ${plain(everything)} get-summ a=1 b=2`,
      'mcp-inspector': `${inspector(everything, 'tools/call')} --tool-name get-summ --tool-arg a=1 b=2`,
      fastmcp: `fastmcp call ${everything} get-summ a=1 b=2`,
    },
  },
  {
    title: 'Keep the picture that a tool returns',
    // grep names the file if it is one of PNG.
    wanted: /^[\w/-]+\.png$/m,
    ways: {
      longwire:
        'longwire call http://127.0.0.1:3001 get-tiny-image --out logo.png\ngrep -l PNG *.png',
      mcporter: `mcporter call ${plain(everything)} get-tiny-image --save-images .\ngrep -l PNG *.png`,
      'mcp-inspector': `${inspector(everything, 'tools/call')} --tool-name get-tiny-image --output logo.png --output-format raw\ngrep -l PNG *.png`,
      fastmcp: `fastmcp call ${everything} get-tiny-image\ngrep -l PNG *.png`,
    },
  },
  {
    title: 'Answer what a tool asks',
    wanted: /Ann/,
    ways: {
      longwire:
        'longwire call http://127.0.0.1:3001 trigger-elicitation-request --answer name=Ann --answer check=yes',
      mcporter: `mcporter call ${plain(everything)} trigger-elicitation-request`,
      'mcp-inspector': `${inspector(everything, 'tools/call')} --tool-name trigger-elicitation-request`,
      fastmcp: `fastmcp call ${everything} trigger-elicitation-request`,
    },
  },
  {
    title: 'Read a resource',
    wanted: /# Everything Server - Features/,
    ways: {
      longwire: `longwire read http://127.0.0.1:3001 ${features}`,
      mcporter: `mcporter config add everything ${everything}\nmcporter resource everything ${features}`,
      'mcp-inspector': `${inspector(everything, 'resources/read')} --uri ${features}`,
      fastmcp: `fastmcp call ${everything} ${features}`,
    },
  },
  {
    title: 'Read a resource by its template',
    wanted: /Resource 7/i,
    ways: {
      longwire: `longwire read http://127.0.0.1:3001 '${template}' resourceId=7`,
      mcporter: `mcporter config add everything ${everything}\nmcporter resource everything demo://resource/dynamic/text/7`,
      'mcp-inspector': `${inspector(everything, 'resources/read')} --uri demo://resource/dynamic/text/7`,
      fastmcp: `fastmcp call ${everything} demo://resource/dynamic/text/7`,
    },
  },
  {
    title: 'Arguments from a pipe',
    wanted: /sum of 1 and 2 is 3/,
    ways: {
      longwire: `${pipe} longwire call http://127.0.0.1:3001 get-sum --args -`,
      mcporter: `${pipe} mcporter call ${plain(everything)} get-sum --args "$(cat)"`,
      'mcp-inspector': `${pipe} ${inspector(everything, 'tools/call')} --tool-name get-sum --tool-args-json "$(cat)"`,
      fastmcp: `${pipe} fastmcp call ${everything} get-sum --input-json "$(cat)"`,
    },
  },
  {
    title: 'Get a prompt',
    wanted: /weather in Oslo/,
    ways: {
      longwire: 'longwire prompt http://127.0.0.1:3001 args-prompt city=Oslo',
      mcporter: 'mcporter prompt --help',
      'mcp-inspector': `${inspector(everything, 'prompts/get')} --prompt-name args-prompt --prompt-args city=Oslo`,
      fastmcp: `fastmcp call ${everything} --prompt args-prompt city=Oslo`,
    },
  },
  {
    title: 'What an argument of a prompt may be',
    wanted: /Engineering/,
    ways: {
      longwire: 'longwire complete http://127.0.0.1:3001 completable-prompt department=E',
      mcporter: 'mcporter complete --help',
      'mcp-inspector': inspector(everything, 'completion/complete'),
      fastmcp: 'fastmcp complete --help',
    },
  },
  {
    title: 'What passes between the two',
    wanted: /tools\/call/,
    ways: {
      longwire: 'longwire call http://127.0.0.1:3001 echo message=hi --trace',
      mcporter: `mcporter config add everything ${everything}\nmcporter record one --server everything -- mcporter call everything.echo message=hi\ncat ~/.mcporter/recordings/one.ndjson`,
      'mcp-inspector': `${inspector(everything, 'tools/call')} --tool-name echo --tool-arg message=hi`,
      fastmcp: `fastmcp call ${everything} echo message=hi`,
    },
  },
  {
    title: 'What a program writes to its stderr',
    wanted: /Starting default/,
    ways: {
      longwire: 'longwire tools -v -- mcp-server-everything stdio',
      mcporter: 'mcporter list --stdio mcp-server-everything --stdio-arg stdio',
      'mcp-inspector': 'mcp-inspector --cli mcp-server-everything stdio --method tools/list',
      fastmcp: "fastmcp list --command 'mcp-server-everything stdio'",
    },
  },
  {
    title: 'A server that wants a login: where, and what to do',
    wanted: /wants a login|run: longwire login|mcporter auth/,
    ways: {
      longwire: 'longwire tools http://127.0.0.1:3004/mcp',
      mcporter: `mcporter list ${plain(guarded)} --no-oauth`,
      'mcp-inspector': `${inspector(guarded, 'tools/list')} --stored-auth-only`,
      fastmcp: 'fastmcp list http://127.0.0.1:3004/mcp --auth none',
    },
  },
  {
    title: 'Log in in the browser, and call',
    wanted: /read done/,
    given: browser,
    ways: {
      longwire: `longwire login ${guarded}\nlongwire call ${guarded} read`,
      mcporter: `mcporter auth ${plain(guarded)} --oauth-timeout 20000\nmcporter call ${plain(guarded)} read`,
      'mcp-inspector': `MCP_AUTO_OPEN_ENABLED=true ${inspector(guarded, 'tools/call')} --tool-name read`,
      fastmcp: `fastmcp call ${guarded} read --auth oauth`,
    },
  },
  {
    title: "The servers of Cursor's file",
    wanted: /github/,
    given: cursorFile,
    ways: {
      longwire: 'longwire servers',
      mcporter: 'mcporter list',
      'mcp-inspector': 'mcp-inspector --cli --config ~/.cursor/mcp.json --method servers/list',
      fastmcp: 'fastmcp discover',
    },
  },
  {
    title: 'One of them, by its name',
    wanted: /trigger-long-running-operation/,
    given: cursorFile,
    ways: {
      longwire: 'longwire tools cursor:github',
      mcporter: 'mcporter list github',
      'mcp-inspector':
        'mcp-inspector --cli --config ~/.cursor/mcp.json --server github --method tools/list',
      fastmcp: 'fastmcp list cursor:github',
    },
  },
  {
    title: 'Two calls on one connection',
    wanted: /Echo: one.*Echo: two/s,
    ways: {
      longwire: `longwire shell http://127.0.0.1:3001 <<'EOF'\ncall echo message=one\ncall echo message=two\nEOF`,
      mcporter: 'mcporter shell --help',
      'mcp-inspector': 'mcp-inspector --cli --help | grep -i session',
      fastmcp: 'fastmcp shell --help',
    },
  },
  {
    title: 'A port on which nothing listens',
    wanted: /nothing listens|ECONNREFUSED|connection refused|connect call failed/i,
    ways: {
      longwire: 'longwire doctor http://127.0.0.1:3999/mcp',
      mcporter: `mcporter list ${plain('http://127.0.0.1:3999/mcp')}`,
      'mcp-inspector': inspector('http://127.0.0.1:3999/mcp', 'tools/list'),
      fastmcp: 'fastmcp list http://127.0.0.1:3999/mcp',
    },
  },
  {
    title: 'A certificate that has expired',
    wanted: /expired|self-signed/i,
    ways: {
      longwire: 'longwire doctor https://127.0.0.1:3011/mcp',
      mcporter: 'mcporter list --http-url https://127.0.0.1:3011/mcp',
      'mcp-inspector': inspector('https://127.0.0.1:3011/mcp', 'tools/list'),
      fastmcp: 'fastmcp list https://127.0.0.1:3011/mcp',
    },
  },
  {
    title: 'A web page',
    wanted: /web page|HTML/i,
    ways: {
      longwire: 'longwire doctor http://127.0.0.1:3012/mcp',
      mcporter: `mcporter list ${plain('http://127.0.0.1:3012/mcp')}`,
      'mcp-inspector': inspector('http://127.0.0.1:3012/mcp', 'tools/list'),
      fastmcp: 'fastmcp list http://127.0.0.1:3012/mcp',
    },
  },
  {
    title: 'A proxy that holds events back',
    wanted: /held back|buffer/i,
    ways: {
      longwire: 'longwire doctor http://127.0.0.1:3013/sse --timeout 8s',
      mcporter: `mcporter list ${plain('http://127.0.0.1:3013/sse')} --timeout 8000`,
      'mcp-inspector': `${inspector('http://127.0.0.1:3013/sse', 'tools/list')} --connect-timeout 8000`,
      fastmcp: 'fastmcp list http://127.0.0.1:3013/sse --timeout 8',
    },
  },
];
