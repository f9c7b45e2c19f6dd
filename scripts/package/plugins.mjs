/** Plugins for esbuild, shared by the build and by the specs that bundle a page. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Replaces `./x.node` by `./x.browser`, its twin with the same exports. */
export const browserTwins = {
  name: 'browser-twins',
  setup({ onResolve }) {
    onResolve({ filter: /^\.{1,2}\/.*\.node$/ }, ({ path, resolveDir }) => {
      const twin = join(resolveDir, `${path.slice(0, -'.node'.length)}.browser.ts`);
      if (existsSync(twin)) return { path: twin };
      return { errors: [{ text: `expected ${twin}, the browser's twin of ${path}, found none` }] };
    });
  },
};

/** Makes `import('gpu.js')` load the copy that lies beside the bundle, at `path`. */
export const gpuJsAt = (path) => ({
  name: 'gpu-js-beside',
  setup({ onResolve }) {
    onResolve({ filter: /^gpu\.js$/ }, () => ({ path, external: true }));
  },
});
