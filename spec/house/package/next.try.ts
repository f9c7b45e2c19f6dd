import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { Project } from './project';

const ROUTE = `import { Tandem } from 'tandem-t5';
  let loading;
  export const dynamic = 'force-dynamic';
  export async function GET() {
    const tandem = await (loading ??= Tandem.load());
    const { text } = await tandem.generate('And it came to pass.', { maxNewTokens: 6 });
    return Response.json({ text });
  }`;

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
    project.write('app/api/text/route.js', ROUTE);
    project.write('app/layout.js', 'export default ({ children }) => <html lang="en"><body>{children}</body></html>;');
    project.write('app/page.js', 'export default () => <p>Tandem</p>;');
  });
  afterAll(() => project.dispose());

  test.each([
    ['as it is', 'export default {};'],
    ['with serverExternalPackages', `export default { serverExternalPackages: ['tandem-t5'] };`],
  ])('built %s, a route handler finds the bundled pair and decodes', async (_, config) => {
    project.write('next.config.mjs', config);
    project.bin('next', ['build'], 300_000);
    const { url, server } = await start(project);
    try {
      const answer = await fetch(`${url}/api/text`, { signal: AbortSignal.timeout(120_000) });
      expect(await answer.json()).toEqual({ text: 'It came to pass.' });
    } finally {
      server.kill('SIGKILL');
    }
  });
});
