import fc from 'fast-check';
import { BodyTooLong, bodyUpTo } from '../../../api/sources/body';

describe('a body of limited length', () => {
  it('is given whole up to its limit, and read no further than one piece beyond it', async () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.nat(120), async (list, most) => {
        let given = 0;
        let cancelled = false;
        const body = new ReadableStream<Uint8Array>(
          {
            pull: (controller) => {
              if (given === list.length) return controller.close();
              controller.enqueue(list[given++]);
            },
            cancel: () => {
              cancelled = true;
            },
          },
          { highWaterMark: 0 },
        );
        const whole = Buffer.concat(list);
        const outcome = await bodyUpTo(most, new Response(body)).catch((error: Error) => error);
        if (whole.length <= most) return expect(Buffer.from(outcome as Uint8Array).equals(whole)).toBe(true);
        expect(outcome).toBeInstanceOf(BodyTooLong);
        expect((outcome as Error).message).toBe(`expected at most ${most} bytes, found more`);
        expect(cancelled).toBe(true);
        const before = Buffer.concat(list.slice(0, given - 1)).length;
        expect(before).toBeLessThanOrEqual(most);
      }),
    );
  });

  it('is empty where an answer has none, and breaks with what its connection breaks with', async () => {
    expect(await bodyUpTo(0, new Response(null))).toHaveLength(0);
    const failure = new Error('broken');
    const broken = new ReadableStream({ pull: (controller) => controller.error(failure) });
    await expect(bodyUpTo(9, new Response(broken))).rejects.toBe(failure);
  });
});
