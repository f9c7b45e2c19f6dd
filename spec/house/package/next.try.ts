import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Project, ROOT } from './project';

/** Starts the built server on a free port; resolves to its address when it listens. */
function start(project: Project): Promise<{ url: string; server: ChildProcess }> {
  const next = join(project.folder, 'node_modules', 'next', 'dist', 'bin', 'next');
  const server = spawn(process.execPath, [next, 'start', '-p', '0', '-H', '127.0.0.1'], { cwd: project.folder });
  return new Promise((resolve, reject) => {
    let printed = '';
    const listen = (chunk: Buffer) => {
      printed += String(chunk);
      const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(printed) ?? [];
      if (url !== undefined) resolve({ url, server });
    };
    server.stdout.on('data', listen);
    server.stderr.on('data', listen);
    server.on('exit', (code) => reject(new Error(`next start ended with ${code}:\n${printed}`)));
  });
}

describe('Next', () => {
  const project = new Project();
  beforeAll(() => {
    project.install([process.env.TANDEM_TARBALL as string, 'next@>=16', 'react', 'react-dom'], 300);
    const isOurs = (path: string) => basename(path) !== 'package.json'; // npm has written the project's own
    cpSync(join(ROOT, 'examples', 'next'), project.folder, { recursive: true, filter: isOurs });
  });
  afterAll(() => project.dispose());

  test.each([
    ['as examples/next is', null],
    ['without its settings', 'export default {};'],
  ])('built %s, a route handler finds the bundled pair and decodes', async (_, config) => {
    if (config !== null) project.write('next.config.mjs', config);
    project.bin('next', ['build'], 300_000);
    const { url, server } = await start(project);
    try {
      const ask = (query: string) => fetch(`${url}/api/text${query}`, { signal: AbortSignal.timeout(120_000) });
      expect(await (await ask('?source=And+it+came+to+pass.')).json()).toEqual({ text: 'It came to pass.' });
      expect((await ask('')).status).toBe(400);
    } finally {
      server.kill('SIGKILL');
    }
  });
});
