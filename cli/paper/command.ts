import type { Command } from 'commander';
import { bundledPair, GENERATE_OPTIONS, LOAD_OPTIONS, type LoadOptions, type Tandem, VERSION } from '../../api';
import { flagged, type OptionTable, whole } from '../../common';
import { published, theory } from '../../decoding';
import { CommandError } from '../failure';
import { addFlags } from '../flags';
import { loadTandem, runFacts } from '../loading';
import { countProgress } from '../progress';
import { jsonLine } from '../terminal';
import { tell, VERBOSITY, type Verbosity } from '../verbosity';
import { measurePaper, type PaperMeasurements, passagesOf } from './measure';
import { paperPage } from './page';

const { BIGRAM_SPEEDUP, TABLE_1, TABLE_2, TABLE_3, TABLE_5 } = published;

export interface PaperFlags extends Verbosity, Pick<LoadOptions, 'backend' | 'threads' | 'wide' | 'dtype'> {
  readonly passages?: number;
  readonly maxNewTokens?: number;
  readonly json?: boolean;
}

const PASSAGES = 20;
const TOKENS = 128;

const FLAGS: OptionTable = {
  passages: { ...whole(1), about: `held-out passages to decode (default: ${PASSAGES})`, flag: '--passages <n>' },
  maxNewTokens: { ...GENERATE_OPTIONS.maxNewTokens, about: `at most this many tokens of each (default: ${TOKENS})` },
  backend: LOAD_OPTIONS.backend,
  threads: LOAD_OPTIONS.threads,
  wide: LOAD_OPTIONS.wide,
  dtype: LOAD_OPTIONS.dtype,
  json: { ...flagged, about: 'print one JSON object', flag: '--json' },
  ...VERBOSITY,
};

/** Puts what `tandem paper` takes on a command. */
export function addPaperFlags(command: Command): Command {
  command.description(
    'print tables 1 to 3 and 5 of Leviathan et al. 2023, beside what this machine measures on the bundled pair',
  );
  return addFlags(command, FLAGS);
}

/** `tandem paper`: the published tables, and beside them the figures of the bundled pair on this machine. */
export async function paper(flags: PaperFlags, signal: AbortSignal): Promise<void> {
  const { passages = PASSAGES, maxNewTokens = TOKENS, quiet } = flags;
  const texts = await passagesOf(await bundledPair(), passages);
  const { backend, threads, dtype, wide } = flags;
  const tandem = await loadTandem({ backend, threads, dtype, wide, quiet, verbose: flags.verbose }, signal);
  const started = performance.now();
  const bar = countProgress('passages', passages, quiet);
  try {
    const parts = tandem.core;
    if (parts === null) throw new CommandError('unavailable', 'paper: expected the models on this thread, found none');
    const encode = (text: string) => tandem.encode(text);
    const job = { parts, encode, texts, maxNewTokens, signal, onPassage: bar.update };
    const measured = await measurePaper(job).finally(bar.stop);
    tell(flags, `measured in ${((performance.now() - started) / 1000).toFixed(2)} s`);
    process.stdout.write(flags.json ? jsonLine(asData(tandem, measured)) : paperPage(tandem, measured));
  } finally {
    await tandem.dispose();
  }
}

function asData(tandem: Tandem, { passages, tokens, pair, ngrams, lenience }: PaperMeasurements) {
  const formula = ({ alpha, gamma }: { alpha: number; gamma: number }) => ({
    operations: theory.expectedOperations(alpha, gamma),
    speed: theory.predictedSpeedup({ alpha, gamma, c: 0 }),
  });
  return {
    version: VERSION,
    ...runFacts(tandem),
    passages,
    tokens,
    table1: TABLE_1.map((row) => ({ ...row, theory: formula(row) })),
    table2: { published: TABLE_2, measured: pair },
    table3: { published: TABLE_3, bigram: BIGRAM_SPEEDUP, measured: ngrams },
    table5: { published: TABLE_5, measured: lenience },
  };
}
