import type { Socket } from 'node:net';
import { aboutMessage } from './answers.ts';
import { answerTexts } from './answering.ts';
import type { Mutator } from './mutator.ts';
import { Player } from './play.ts';

/** Speaks JSON-RPC by lines, through a process that passes them on. */
export function serveProcess(
  socket: Socket,
  { mutator, onSay }: { mutator: Mutator; onSay: (bytes: Buffer) => void },
): void {
  const player = new Player(socket);
  let rest = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      // The first line is the number of the process, and no request.
      const about = aboutMessage(JSON.parse(line));
      if (about === undefined) continue;
      for (const answer of answerTexts(about, 'legacy', mutator)) {
        const bytes = mutator.apply('bytes', Buffer.from(`${answer}\n`), about);
        onSay(bytes);
        player.play(mutator.apply('timing', [{ do: 'write', bytes }], about));
      }
    }
  });
}
