import type { Logits, LogitsQueries } from '../contract';
import { logitsQueries as hostQueries } from '../cpu/logits';
import { open } from '../shared/boxes';
import { expectIndices, expectShape } from '../shared/checks';
import type { GpuLogits } from './boxes';
import type { Program } from './device';
import { holder, view } from './queue';
import type { GpuStorage } from './storage';

/** Vocabulary entries whose largest one thread finds. */
const CHUNK = 256;

/** The largest of each chunk by its id, −1 where nothing is above −∞; NaN never compares as larger. */
const WINNERS: Program = {
  key: 'winners',
  args: ['array', 'int', 'int'],
  constants: { chunk: CHUNK },
  source: `function (logits, vocabulary, chunks) {
    const row = quotient(this.thread.x, chunks);
    const from = (this.thread.x - row * chunks) * this.constants.chunk;
    let largest = -3.4028234e38;
    let best = -1;
    for (let k = 0; k < this.constants.chunk; k++) {
      if (from + k < vocabulary) {
        const value = logits[row][from + k];
        if (value > largest) { largest = value; best = from + k; }
      }
    }
    return best;
  }`,
};

/** The best of a row's winners, in order: ties stay with the lowest id. */
function bestProgram(chunks: number): Program {
  return {
    key: `best ${chunks}`,
    args: ['array', 'array'],
    constants: { chunks },
    source: `function (logits, winners) {
    let largest = -3.4028234e38;
    let best = 0;
    for (let c = 0; c < this.constants.chunks; c++) {
      const id = winners[this.thread.x][c];
      if (id >= 0) {
        const value = logits[this.thread.x][id];
        if (value > largest) { largest = value; best = id; }
      }
    }
    return best;
  }`,
  };
}

const AT: Program = {
  key: 'at',
  args: ['array', 'array', 'int'],
  constants: {},
  source: `function (logits, pairs, count) {
    return logits[pairs[this.thread.x]][pairs[this.thread.x + count]];
  }`,
};

/**
 * See reference/logits.ts. Arg-max and single logits are found on the device and only they are read back; whatever
 * needs a whole row reads all rows once and computes in float64 on the host, as the other backends do.
 */
export function logitsQueries(storage: GpuStorage): LogitsQueries {
  const host = hostQueries(storage);
  /** The box with its values on the host: one read-back for all rows and all queries. */
  const fetched = async (logits: Logits, where: string): Promise<Logits> => {
    const box = open(storage.memory, logits, where) as GpuLogits;
    box.fetched ??= storage.queue.read(box);
    return { ...box, data: await box.fetched } as Logits;
  };
  return {
    argMax: (logits) => argMax(storage, logits),
    at: (logits, rows, tokens) => at(storage, logits, rows, tokens),
    logSumExp: async (logits, row, inverse) => host.logSumExp(await fetched(logits, 'logSumExp'), row, inverse),
    topK: async (logits, row, k) => host.topK(await fetched(logits, 'topK'), row, k),
    readLogits: async (logits, row) => host.readLogits(await fetched(logits, 'readLogits'), row),
  };
}

async function argMax(storage: GpuStorage, logits: Logits): Promise<Int32Array> {
  const box = open(storage.memory, logits, 'argMax') as GpuLogits;
  const { rows, vocabulary } = box;
  const { queue } = storage;
  const { device } = queue;
  const chunks = Math.ceil(vocabulary / CHUNK);
  const winners = holder(); // [rows, chunks]
  queue.produce(winners, () => device.launch(WINNERS, rows * chunks, [view(box, vocabulary), vocabulary, chunks]));
  const ids = queue.readOnce(() =>
    device.launch(bestProgram(chunks), rows, [view(box, vocabulary), view(winners, chunks)]),
  );
  queue.drop(winners);
  return Int32Array.from(await ids);
}

async function at(storage: GpuStorage, logits: Logits, rows: Int32Array, tokens: Int32Array): Promise<Float32Array> {
  const box = open(storage.memory, logits, 'at') as GpuLogits;
  const { vocabulary } = box;
  expectShape('at', 'tokens.length', rows.length, tokens.length);
  expectIndices('at', 'rows', rows, box.rows);
  expectIndices('at', 'tokens', tokens, vocabulary);
  if (rows.length === 0) return new Float32Array(0);
  if (box.fetched !== null) {
    const values = await box.fetched;
    return Float32Array.from(rows, (row, i) => values[row * vocabulary + tokens[i]]);
  }
  const { queue } = storage;
  const pairs = holder();
  queue.upload(pairs, Float32Array.from([...rows, ...tokens]));
  const found = queue.readOnce(() =>
    queue.device.launch(AT, rows.length, [view(box, vocabulary), view(pairs), rows.length]),
  );
  queue.drop(pairs);
  return found;
}
