import { Tandem } from '../../api';
import { leaveEarly, soak } from '../support/soak';

const MEGABYTE = 2 ** 20;

/** About an hour's worth of a busy program's calls. */
it('6,000 mixed calls: the same results in every pass, level memory, no handle left', async () => {
  const tandem = await Tandem.load();
  try {
    await soak(tandem, { passes: 300, heapGrowth: 16 * MEGABYTE, residentGrowth: 64 * MEGABYTE });
  } finally {
    await tandem.dispose();
  }
});

it('10,000 calls that are left early: level memory', async () => {
  const tandem = await Tandem.load(undefined, { threads: 1 });
  try {
    await leaveEarly(tandem, { exits: 10_000, growth: 64 * MEGABYTE });
  } finally {
    await tandem.dispose();
  }
});
