import { createInterface } from 'node:readline';

/**
 * The protocol of protocol.py for workers in Node. `load(request)` resolves to { version, run }, and `run(source, tokens)` to ids.
 */
export async function serve(load) {
  let run;
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    let answer;
    try {
      if (request.do === 'load') {
        const loaded = await load(request);
        run = loaded.run;
        answer = { ok: true, version: loaded.version };
      } else {
        answer = { ok: true, ids: await run(request.source, request.tokens) };
      }
    } catch (error) {
      answer = { ok: false, error: String(error?.message ?? error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  process.exit(0);
}
