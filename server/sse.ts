import { failureOf } from './failure';

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-cache',
  'X-Accel-Buffering': 'no',
};

/** Who is told what becomes of a stream. */
export interface StreamEnds {
  /** The client has gone away. */
  end(): void;
  /** Everything is there, whether or not the client has read it. Called once. */
  onOver(): void;
}

/**
 * Objects as server-sent events, with `[DONE]` after the last one. They are taken as they come, so that a client that reads slowly
 * holds up nobody. An error before the first object is thrown; a later one is an event of its own, and ends the stream.
 */
export async function eventStream(
  objects: AsyncGenerator<object, void, void>,
  { end, onOver }: StreamEnds,
): Promise<Response> {
  const first = await objects.next();
  const encoder = new TextEncoder();
  let isLeft = false;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const write = (data: string) => {
        if (!isLeft) controller.enqueue(encoder.encode(`data: ${data}\n\n`));
      };
      const pass = async () => {
        for (let step = first; !step.done; step = await objects.next()) write(JSON.stringify(step.value));
        write('[DONE]');
      };
      pass()
        .catch((error: unknown) => write(JSON.stringify(failureOf(error).body)))
        .finally(() => {
          onOver();
          if (!isLeft) controller.close();
        });
    },
    cancel() {
      isLeft = true;
      end();
    },
  });
  return new Response(body, { headers: HEADERS });
}
