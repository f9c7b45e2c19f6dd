import { once } from 'node:events';
import { createWasmBackend } from '../../../kernels';

const workers = jest.requireActual<typeof import('node:worker_threads')>('node:worker_threads');

describe('threads of a backend that is disposed', () => {
  test.each([2, 4])('dispose ends every thread that was started, of %i with this one', async (threads) => {
    const { Worker } = workers;
    const started: InstanceType<typeof Worker>[] = [];
    const spy = jest.spyOn(workers, 'Worker').mockImplementation((...args) => {
      const worker = new Worker(...args);
      started.push(worker);
      return worker;
    });
    const backend = await createWasmBackend({ threads });
    spy.mockRestore();
    expect(started.map(({ threadId }) => threadId > 0)).toEqual(Array(threads - 1).fill(true));
    await backend.dispose();
    expect(started.map(({ threadId }) => threadId)).toEqual(Array(threads - 1).fill(-1)); // which have ended
  });

  test('dispose tells threads to end: each ends by itself where nobody ends it', async () => {
    const { Worker } = workers;
    const started: InstanceType<typeof Worker>[] = [];
    const spy = jest.spyOn(workers, 'Worker').mockImplementation((...args) => {
      const worker = new Worker(...args);
      started.push(worker);
      return Object.assign(worker, { terminate: () => once(worker, 'exit') });
    });
    const backend = await createWasmBackend({ threads: 3 });
    spy.mockRestore();
    try {
      await backend.dispose();
      expect(started.map(({ threadId }) => threadId)).toEqual([-1, -1]);
    } finally {
      await Promise.all(started.map((worker) => Worker.prototype.terminate.call(worker)));
    }
  });

  test('dispose can be called twice', async () => {
    const backend = await createWasmBackend({ threads: 4 });
    await backend.dispose();
    await backend.dispose();
  });
});
