/**
 * `decoder`: from the bytes of an event stream to events. Longwire's decoder, and
 * eventsource-parser behind each of the two ways to make text of bytes that may be cut inside a
 * character.
 */
import { StringDecoder } from 'node:string_decoder';
import { createParser } from 'eventsource-parser';
import { importSource } from '../../test/support/import-source.mjs';
import { machine, table, withSpread } from '../report/markdown.mjs';
import { spread } from '../report/statistics.mjs';
import { inputs } from './inputs.mjs';

/** @typedef {import('./inputs.mjs').Input} Input */

/**
 * @typedef {object} Decoder
 * @property {string} title
 * @property {(onData: (data: string) => void) => (chunk: Buffer) => void} open
 */

/** Every decoder guards the memory, with the default of `limits.maxEventBytes`. */
const MAX_EVENT_BYTES = 64 * 2 ** 20;
const WARM_UP_ROUNDS = 2;

const DECODER_MODULE = 'packages/client/src/http/event-decoder.ts';

/** @type {readonly Decoder[]} */
const PEERS = [
  {
    title: 'eventsource-parser, `TextDecoder`',
    open(onData) {
      const parser = createParser({
        maxBufferSize: MAX_EVENT_BYTES,
        onEvent: (event) => onData(event.data),
      });
      const decoder = new TextDecoder();
      return (chunk) => parser.feed(decoder.decode(chunk, { stream: true }));
    },
  },
  {
    title: 'eventsource-parser, `StringDecoder`',
    open(onData) {
      const parser = createParser({
        maxBufferSize: MAX_EVENT_BYTES,
        onEvent: (event) => onData(event.data),
      });
      const decoder = new StringDecoder('utf8');
      return (chunk) => parser.feed(decoder.write(chunk));
    },
  },
];

/** @returns {Promise<Decoder | undefined>} */
async function longwireDecoder() {
  let EventDecoder;
  try {
    ({ EventDecoder } = await importSource(DECODER_MODULE));
  } catch (error) {
    console.log(
      `decoder: Longwire's cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
    );
    return undefined;
  }
  return {
    title: 'Longwire',
    open(onData) {
      const decoder = new EventDecoder({
        maxEventBytes: MAX_EVENT_BYTES,
        onEvent: (/** @type {{ data: string }} */ event) => onData(event.data),
      });
      return (chunk) => decoder.push(chunk);
    },
  };
}

/**
 * @param {Decoder} decoder
 * @param {Input} input
 * @returns {{ cpuUs: number, characters: number, events: number }}
 */
function sample(decoder, { chunks, parse }) {
  let characters = 0;
  let events = 0;
  const push = decoder.open((data) => {
    characters += data.length;
    events++;
    if (parse) JSON.parse(data);
  });
  const before = process.cpuUsage();
  for (const chunk of chunks) push(chunk);
  const cpu = process.cpuUsage(before);
  return { cpuUs: cpu.user + cpu.system, characters, events };
}

/**
 * @param {{ rounds: number }} options
 * @returns {Promise<boolean>} whether every decoder could be measured
 */
export async function run({ rounds }) {
  const longwire = await longwireDecoder();
  const decoders = [...(longwire ? [longwire] : []), ...PEERS];
  const rows = [];
  for (const input of inputs()) {
    console.error(`decoder: ${input.title}`);
    rows.push(...measure(input, decoders, rounds));
  }
  console.log(`\n${machine()}`);
  console.log(`Medians of ${rounds} rounds (least–most); a ratio is taken within each round.\n`);
  const head = ['stream', 'decoder', 'MiB per CPU second', "× Longwire's CPU"];
  console.log(table(head, rows, { textColumns: 2 }));
  return longwire !== undefined;
}

/**
 * @param {Input} input
 * @param {readonly Decoder[]} decoders
 * @param {number} rounds
 * @returns {string[][]} a row for each decoder
 */
function measure(input, decoders, rounds) {
  /** @type {number[][]} */
  const cpuUs = decoders.map(() => []);
  let expected;
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (let i = 0; i < decoders.length; i++) {
      const turn = (i + round + WARM_UP_ROUNDS) % decoders.length;
      const decoder = decoders[turn];
      if (!decoder) continue;
      const { cpuUs: cpu, ...seen } = sample(decoder, input);
      if (round >= 0) cpuUs[turn]?.push(cpu);
      const found = JSON.stringify(seen);
      expected ??= found;
      if (found !== expected) {
        throw new Error(`${decoder.title} saw ${found} where another saw ${expected}`);
      }
    }
  }
  return decoders.map((decoder, index) => {
    const own = cpuUs[index] ?? [];
    const longwire = decoders[0]?.title === 'Longwire' ? (cpuUs[0] ?? []) : [];
    const throughput = spread(own.map((cpu) => input.bytes / 2 ** 20 / (cpu / 1e6)));
    const ratio = spread(longwire.map((cpu, round) => (own[round] ?? Number.NaN) / cpu));
    return [
      index === 0 ? input.title : '',
      decoder.title,
      withSpread(throughput, 0),
      withSpread(ratio, 2),
    ];
  });
}
