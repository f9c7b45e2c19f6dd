import { arriving } from '../../explorer/engine/arriving';

/** An answer whose parts come when they are pushed. */
function answerOfParts(headers: Record<string, string>) {
  let parts: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      parts = controller;
    },
  });
  if (parts === undefined) throw new Error('expected the stream to have started');
  return { answer: new Response(body, { headers }), parts };
}

const nothing = () => undefined;
const bytes = (...values: number[]) => Uint8Array.from(values);

describe('a file that is still arriving', () => {
  test('gives what has come while the rest is on its way', async () => {
    const { answer, parts } = answerOfParts({ 'content-length': '5' });
    const told: unknown[] = [];
    const file = await arriving('model', 'file', answer, (...one) => told.push(one));
    expect([file.name, file.size]).toEqual(['model/file', 5]);
    parts.enqueue(bytes(1, 2, 3));
    expect(await file.read(1, 2)).toEqual(bytes(2, 3));
    const later = file.read(2, 3);
    const order: string[] = [];
    void later.then(() => order.push('later'));
    expect(await file.read(0, 1)).toEqual(bytes(1));
    expect(order).toEqual([]);
    parts.enqueue(bytes(4, 5));
    parts.close();
    expect(await later).toEqual(bytes(3, 4, 5));
    expect(told).toEqual([
      ['model/file', 3, 5],
      ['model/file', 5, 5],
    ]);
    await expect(file.read(4, 2)).rejects.toThrow(/model\/file/);
  });

  test.each([
    ['breaks off', (parts: ReadableStreamDefaultController) => parts.close(), /found 2 of 4 bytes/],
    ['fails', (parts: ReadableStreamDefaultController) => parts.error(new Error('cable')), /found cable/],
  ])('refuses what did not come when the answer %s', async (_, end, said) => {
    const { answer, parts } = answerOfParts({ 'content-length': '4' });
    const file = await arriving('model', 'file', answer, nothing);
    const waiting = expect(file.read(0, 4)).rejects.toThrow(said);
    parts.enqueue(bytes(1, 2));
    end(parts);
    await waiting;
    await expect(file.read(3, 1)).rejects.toThrow(said);
    expect(await file.read(0, 2)).toEqual(bytes(1, 2));
  });

  test.each<Record<string, string>>([{}, { 'content-length': '2', 'content-encoding': 'gzip' }])(
    'reads an answer that does not say its length whole: %j',
    async (headers) => {
      const { answer, parts } = answerOfParts(headers);
      parts.enqueue(bytes(1, 2));
      parts.enqueue(bytes(3));
      parts.close();
      const file = await arriving('model', 'file', answer, nothing);
      expect([file.size, await file.read(0, 3)]).toEqual([3, bytes(1, 2, 3)]);
    },
  );
});
