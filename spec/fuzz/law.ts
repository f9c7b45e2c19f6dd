import { TandemError } from '../../common';
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

/** What to do with an input that broke the law. */
export function replayOf(fuzzer: Fuzzer, input: Uint8Array, how: string): string {
  const command = `base64 -d > FILE; npm run fuzz -- ${fuzzer.name} --input FILE`;
  return `${how}\ninput in base64 (${command}):\n${Buffer.from(input).toString('base64')}`;
}
