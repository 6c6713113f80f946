import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv, type ValidateFunction } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Picture,
  toChromeTrace,
  toHar,
  toOtlp,
  type ChromeTraceEvent,
  type OtlpSpan,
  type OtlpTraces,
  type RecordedLine,
} from '../../packages/recording/src/index.ts';
import { anyLine } from '../../packages/recording/test/support/lines.ts';
import { pictureOf, STORY } from '../../packages/recording/test/support/picture-of.ts';
import { directoryOf, tellWhatIsMissing } from '../interop/support/missing.ts';
import { prepare, textOf } from '../support/user-cache.ts';
import { CHROME_TRACE_SCHEMA } from './chrome-trace-schema.ts';

const require = createRequire(import.meta.url);

/** Lines in an order that no server has, with names that no server should have. */
const odd = fc
  .array(anyLine, { minLength: 100, maxLength: 200, size: 'max' })
  .map((lines) => lines.map(numbered()))
  .map((lines) => {
    const picture = new Picture();
    for (const line of lines) picture.apply(line);
    return picture;
  });

const reader = await prepare({
  name: 'otlp-reader',
  sources: await textOf(pathOf('otlp-reader')),
  needs: [['go', 'version']],
  make: (directory, run) =>
    run('go', ['build', '-buildvcs=false', '-o', join(directory, 'reader'), '.'], {
      cwd: pathOf('otlp-reader'),
    }),
});
tellWhatIsMissing(reader);

describe.skipIf('missing' in reader)('traces in OTLP/JSON', () => {
  it('are read by the OpenTelemetry Collector, and nothing of them is left out', async () => {
    const traces = toOtlp(pictureOf(...STORY));
    expect(await readByCollector(traces)).toEqual(withoutDefaults(traces));
    const spans = spansOf(traces);
    expect(spans).toHaveLength(8);
    for (const { parentSpanId } of spans) {
      if (parentSpanId === undefined) continue;
      expect(spans.map(({ spanId }) => spanId)).toContain(parentSpanId);
    }
  });

  it('are read whatever servers did', async () => {
    const pictures = fc.sample(odd, { numRuns: 50, seed: 15 });
    const resourceSpans = pictures.flatMap((picture) => toOtlp(picture).resourceSpans);
    expect(spansOf({ resourceSpans }).length).toBeGreaterThan(200);
    const read = await readByCollector({ resourceSpans });
    // Half of a character is none for it.
    expect(read).toEqual(withoutDefaults(wellFormed({ resourceSpans })));
  });
});

describe('a HAR', () => {
  const validate = harValidator();

  it('is one by the schema of HAR 1.2', () => {
    expect(problemsOf(validate, toHar(pictureOf(...STORY)))).toEqual([]);
    expect(problemsOf(validate, { log: { version: '1.2', entries: [] } })).not.toEqual([]);
  });

  it('is one whatever servers did', () => {
    fc.assert(
      fc.property(odd, (picture) => {
        expect(problemsOf(validate, toHar(picture))).toEqual([]);
      }),
    );
  });
});

describe('a Chrome trace', () => {
  const validate = new Ajv().compile(CHROME_TRACE_SCHEMA);

  it('is one by its schema', () => {
    const events = toChromeTrace(pictureOf(...STORY));
    expect(problemsOf(validate, events)).toEqual([]);
    expect(problemsOf(validate, [{ ...events.at(-1), ph: 'X' }])).not.toEqual([]);
    expectNested(events);
  });

  it('is one whatever servers did', () => {
    fc.assert(
      fc.property(odd, (picture) => {
        const events = toChromeTrace(picture);
        expect(problemsOf(validate, events)).toEqual([]);
        expectNested(events);
      }),
    );
  });
});

/** Every asynchronous span ends, after it began, and after all spans that began within it. */
function expectNested(events: readonly ChromeTraceEvent[]): void {
  const open = new Map<string, ChromeTraceEvent[]>();
  for (const event of events) {
    const tree = `${event.cat} ${event.id}`;
    if (event.ph === 'b') open.set(tree, [...(open.get(tree) ?? []), event]);
    if (event.ph !== 'e') continue;
    const began = open.get(tree)?.pop();
    expect(began?.name).toBe(event.name);
    expect(event.ts).toBeGreaterThanOrEqual(began?.ts ?? Infinity);
  }
  expect([...open.values()].flat()).toEqual([]);
}

/** What a collector takes a document for, written by it. */
function readByCollector(traces: OtlpTraces): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const options = { maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(join(directoryOf(reader), 'reader'), options, (error, stdout) => {
      if (error === null) resolve(JSON.parse(stdout));
      else reject(error);
    });
    child.stdin?.end(JSON.stringify(traces));
  });
}

/** The same as the collector writes it: it leaves out what is what it would be anyway. */
function withoutDefaults(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (name, member: unknown) => {
      const isEmpty = Array.isArray(member) ? member.length === 0 : member === '';
      const isZero = name.endsWith('UnixNano') && member === '0';
      return (isEmpty && name !== 'stringValue') || isZero ? undefined : member;
    }),
  );
}

function wellFormed(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_name, member: unknown) =>
      typeof member === 'string' ? Buffer.from(member).toString() : member,
    ),
  );
}

function spansOf({ resourceSpans }: OtlpTraces): OtlpSpan[] {
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
}

function harValidator(): ValidateFunction {
  const schemas = require('har-schema') as Readonly<Record<string, object>>;
  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addMetaSchema(require('ajv/dist/refs/json-schema-draft-06.json') as object);
  for (const schema of Object.values(schemas)) ajv.addSchema(schema);
  return ajv.getSchema('har.json#') as ValidateFunction;
}

function problemsOf(validate: ValidateFunction, value: unknown): readonly unknown[] {
  // As a reader gets it.
  validate(JSON.parse(JSON.stringify(value)));
  return validate.errors ?? [];
}

/** Gives every call that begins a number of its own, as recordings have them. */
function numbered(): (line: RecordedLine) => RecordedLine {
  const numbers = new Map<number, number>();
  let last = 0;
  return (line) => {
    if (line.type === 'call') numbers.set(line.call, ++last);
    return 'call' in line ? { ...line, call: numbers.get(line.call) ?? 0 } : line;
  };
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
