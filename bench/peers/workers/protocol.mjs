import { createInterface } from 'node:readline';

/**
 * The protocol of protocol.py for workers in Node. `load(request)` resolves to { version, run }, and `run(source, tokens)` to ids.
 * Where many sequences share each step, `runMany(sources, tokens)` resolves to lists of ids.
 */
export async function serve(load) {
  let loaded;
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    let answer;
    try {
      if (request.do === 'load') {
        loaded = await load(request);
        answer = { ok: true, version: loaded.version, many: loaded.runMany !== undefined };
      } else if (request.do === 'runMany') {
        answer = { ok: true, sequences: await loaded.runMany(request.sources, request.tokens) };
      } else {
        answer = { ok: true, ids: await loaded.run(request.source, request.tokens) };
      }
    } catch (error) {
      answer = { ok: false, error: String(error?.message ?? error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  process.exit(0);
}
