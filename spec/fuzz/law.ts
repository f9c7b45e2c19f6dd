import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { printable, TandemError } from '../../common';
import type { ByteSource } from '../../weights';
import { type FileSet, fileSet } from '../../weights/file-set';

/** What is done with inputs of one kind. */
export interface Fuzzer {
  readonly name: string;
  /** Whether inputs are changed as JSON or as bytes. */
  readonly kind: 'json' | 'bytes';
  /** Inputs that work. */
  seeds(): readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  /** Reads an input and uses what it gives, as a program would. */
  use(input: Uint8Array, work: Work): Promise<void>;
}

/** The work that an input costs, counted where it is done. */
export class Work {
  bytes = 0;
  requests = 0;

  /** Files whose reads are counted. */
  files(contents: Readonly<Record<string, Uint8Array>>): FileSet {
    const set = fileSet(contents, 'model');
    return { ...set, open: async (file) => this.counted(await set.open(file)) };
  }

  counted(source: ByteSource): ByteSource {
    return {
      name: source.name,
      size: source.size,
      read: (offset, length) => {
        this.bytes += length;
        return source.read(offset, length);
      },
      dispose: () => source.dispose(),
    };
  }
}

/** An input is read at most so often: for its header, for its tensors, and by readers that try it in turn. */
const READS = 8;
/** What small files are read for, whatever the input: the other files of the model. */
const ALLOWANCE = 1 << 20;
const MOST_REQUESTS = 1000;
/** A message is one line of a terminal window, or a few. */
const LONGEST_MESSAGE = 1200;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;

/** Whether an input worked or was refused, or how it broke the law: works or a TandemError, at a cost in proportion. */
export type Verdict = { readonly kind: 'worked' | 'refused' } | { readonly kind: 'broke'; readonly how: string };

export async function judge(fuzzer: Fuzzer, input: Uint8Array): Promise<Verdict> {
  const work = new Work();
  let refused = false;
  try {
    await fuzzer.use(input, work);
  } catch (error) {
    if (!(error instanceof TandemError)) return { kind: 'broke', how: (error as Error)?.stack ?? String(error) };
    const { message } = error;
    if (message.length > LONGEST_MESSAGE) return { kind: 'broke', how: `a message of ${message.length} characters` };
    if (CONTROL.test(message)) return { kind: 'broke', how: `a control character in ${JSON.stringify(message)}` };
    refused = true;
  }
  const most = READS * input.length + ALLOWANCE;
  if (work.bytes > most) return { kind: 'broke', how: `${work.bytes} bytes read of an input of ${input.length}` };
  if (work.requests > MOST_REQUESTS) return { kind: 'broke', how: `${work.requests} requests` };
  return { kind: refused ? 'refused' : 'worked' };
}

/** Bytes of an input that a message shows. */
const SHOWN = 300;

/**
 * What to do with an input that broke the law. The whole input is written to a file in `folder`, named after its content; the
 * message shows the beginning.
 */
export function replayOf(fuzzer: Fuzzer, input: Uint8Array, { how, folder }: { how: string; folder: string }): string {
  mkdirSync(folder, { recursive: true });
  const digest = createHash('sha256').update(input).digest('hex').slice(0, 8);
  const file = join(folder, `${fuzzer.name}-${digest}.broke`);
  writeFileSync(file, input);
  const begin = Buffer.from(input.subarray(0, SHOWN)).toString(fuzzer.kind === 'json' ? 'utf8' : 'base64');
  const rest = input.length > SHOWN ? ` … (the first ${SHOWN} of ${input.length} bytes)` : '';
  const kind = fuzzer.kind === 'json' ? 'text' : 'base64';
  return [how, `input, as ${kind}: ${printable(begin)}${rest}`, `npm run fuzz -- ${fuzzer.name} --input ${file}`].join(
    '\n',
  );
}
