import { usageError } from '../command-error.js';
import type { AddCommand, Context } from '../context.js';
import { EXPORTS, isExportName, type ExportName } from '../dash/exports.js';
import {
  addShownOptions,
  checkShown,
  openShown,
  type ShownOptions,
} from '../dash/shown-options.js';
import type { ExitCode } from '../exit-codes.js';
import { readPort } from '../ports.js';

interface DashOptions extends ShownOptions {
  checks?: string;
  export?: string;
  out?: string;
  port?: string;
  open: boolean;
}

/** `longwire dash [target …]` */
export const addDash: AddCommand = (program, run) => {
  const command = program.command('dash').description('a live page of what servers do');
  addShownOptions(command)
    .option('--export <format>', 'with --replay: write it as otlp, chrome or har, and end')
    .option('--out <file>', 'where --export writes to (default: stdout)')
    .option('--checks <file>', 'where the page saves calls (default: longwire.checks.json)')
    .option('--port <number>', 'where the page is (default: any free port)')
    .option('--no-open', 'open no browser')
    .addHelpText(
      'after',
      `
Goes on until Ctrl-C. Only whoever has the address that is printed can open the
page: it has a token. A recording holds what arguments and results hold, but for
keys and tokens that are known as such.

Examples:
  $ longwire dash http://127.0.0.1:3001 --record monday.ndjson
  $ longwire dash --replay monday.ndjson --export chrome --out trace.json`,
    )
    .action((words: string[], options: DashOptions) =>
      run((context) => dash(context, words, options)),
    );
};

async function dash(
  context: Context,
  words: readonly string[],
  options: DashOptions,
): Promise<ExitCode> {
  const port = readPort(options.port);
  const exported = readExport(options);
  if (exported !== undefined) {
    checkShown(context, words, options);
    const { exportRecording } = await import('../dash/export-recording.js');
    const { out, force = false } = options;
    await exportRecording(context, { ...exported, out, force });
    return 0;
  }
  const shown = await openShown(context, words, options);
  try {
    const { servePage } = await import('../dash/page-server.js');
    await using page = await servePage(shown.source, port === undefined ? {} : { port });
    if (context.options.json) context.terminal.json({ url: page.url }, { lines: true });
    else context.terminal.print(`The page is at ${page.url}`);
    context.terminal.remark('Ctrl-C ends it.');
    if (options.open && context.terminal.interactive) {
      const { openBrowser } = await import('../dash/open-browser.js');
      openBrowser(page.createLaunchUrl(), context.env);
    }
    await context.interruptions.ended;
    return 130;
  } finally {
    await shown.close();
  }
}

/** @throws LongwireError (usage) for a format that there is not, and options that need another one. */
function readExport({
  replay,
  checks,
  export: format,
  out,
}: DashOptions): { format: ExportName; file: string } | undefined {
  if (replay !== undefined && checks !== undefined) {
    throw usageError('--checks is for servers that can be called: leave out --replay');
  }
  if (out !== undefined && format === undefined) throw usageError('--out is for --export');
  if (format === undefined) return undefined;
  if (replay === undefined) throw usageError('--export is for a recording: name it with --replay');
  if (isExportName(format)) return { format, file: replay };
  throw usageError(`--export "${format}" is not there: use ${Object.keys(EXPORTS).join(', ')}`);
}
