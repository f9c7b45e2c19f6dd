import type { LogitsQueries } from '../contract';
import { ROW_QUERIES } from '../cpu/logits';
import { open } from '../shared/boxes';
import { openAt, openLogSumExp, openRow, openTopK, pick, rowAt } from '../shared/queries';
import type { GpuLogits } from './boxes';
import type { Program } from './device';
import { createHolder, type GpuQueue, view } from './queue';
import type { GpuStorage } from './storage';

/** Vocabulary entries of which one thread finds the largest. */
const CHUNK = 256;

/** The id of the largest logit of each chunk: −1 where nothing is above −∞, −2 where one is NaN or +∞. */
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
        if (value < 3.4028234e38) {
          if (value > largest && best > -2) { largest = value; best = from + k; }
        } else {
          best = -2;
        }
      }
    }
    return best;
  }`,
};

/** The best of the winners of a row. They are compared in order, so ties go to the lowest id. */
function bestProgram(chunks: number): Program {
  return {
    key: `best ${chunks}`,
    args: ['array', 'array'],
    constants: { chunks },
    source: `function (logits, winners) {
    let largest = -3.4028234e38;
    let best = -1;
    let valid = 1;
    for (let c = 0; c < this.constants.chunks; c++) {
      const id = winners[this.thread.x][c];
      if (id >= 0) {
        const value = logits[this.thread.x][id];
        if (value > largest) { largest = value; best = id; }
      }
      if (id < -1) { valid = 0; }
    }
    if (valid < 1) { best = -1; }
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
 * See reference/logits.ts. Arg-max and single logits are found on the device, and only the answers are read back. A query that
 * needs a whole row reads all rows back once, and computes in float64 on the host, as the cpu backend does.
 */
export function logitsQueries(storage: GpuStorage): LogitsQueries {
  const { queue } = storage;
  /** Row `row` on the host. All rows are read back together, once for all queries. */
  const fetchRow = async (logits: GpuLogits, row: number): Promise<Float32Array> => {
    logits.fetched ??= queue.read(logits);
    const { vocabulary, fetched } = logits;
    return rowAt(await fetched, vocabulary, row);
  };
  return {
    argMax: async (logits) => argMax(queue, open(storage, logits, 'argMax')),
    at: async (logits, rows, tokens) => at(queue, openAt(storage, logits, rows, tokens), rows, tokens),
    async logSumExp(logits, row, inverseTemperature) {
      const opened = openLogSumExp(storage, logits, row, inverseTemperature);
      return ROW_QUERIES.logSumExp(await fetchRow(opened, row), inverseTemperature);
    },
    async topK(logits, row, k) {
      return ROW_QUERIES.topK(await fetchRow(openTopK(storage, logits, row, k), row), k);
    },
    async readLogits(logits, row) {
      return (await fetchRow(openRow(storage, 'readLogits', logits, row), row)).slice();
    },
  };
}

async function argMax(queue: GpuQueue, logits: GpuLogits): Promise<Int32Array> {
  const { rows, vocabulary } = logits;
  const { device } = queue;
  const chunks = Math.ceil(vocabulary / CHUNK);
  const winners = createHolder(); // [rows, chunks]
  queue.produce(winners, () => device.launch(WINNERS, rows * chunks, [view(logits, vocabulary), vocabulary, chunks]));
  const ids = queue.readOnce(() =>
    device.launch(bestProgram(chunks), rows, [view(logits, vocabulary), view(winners, chunks)]),
  );
  queue.drop(winners);
  return Int32Array.from(await ids);
}

async function at(queue: GpuQueue, logits: GpuLogits, rows: Int32Array, tokens: Int32Array): Promise<Float32Array> {
  const { vocabulary, fetched } = logits;
  if (rows.length === 0) return new Float32Array(0);
  if (fetched !== null) return pick(await fetched, vocabulary, rows, tokens);
  const pairs = createHolder(); // all rows, then all tokens
  queue.upload(pairs, Float32Array.from([...rows, ...tokens]));
  const found = queue.readOnce(() =>
    queue.device.launch(AT, rows.length, [view(logits, vocabulary), view(pairs), rows.length]),
  );
  queue.drop(pairs);
  return found;
}
