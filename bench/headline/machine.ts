import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import type { Backend } from '../../kernels';

/** Features that decide how fast WebAssembly computes on x86-64, as Linux names them. */
const FEATURES = ['avx2', 'fma', 'avx512f', 'avx_vnni', 'avx512_vnni'];

/** The lines that say where figures were taken: processor and its features, memory, runtime and its flags, backend. */
export function machineLines({ facts }: Backend): string[] {
  const cores = cpus();
  const model = cores[0]?.model.trim() ?? 'unknown';
  const memory = `${(totalmem() / 2 ** 30).toFixed(0)} GiB of memory`;
  const flags = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].filter((flag) => flag.startsWith('-'));
  return [
    `processor  ${model}, ${cores.length} cores, ${memory}; ${features()}`,
    `runtime    Node ${process.versions.node} (V8 ${process.versions.v8}), flags: ${flags.join(' ') || 'none'}`,
    `backend    ${facts.name} (${facts.level}${facts.wide?.on ? ', wide' : ''}), ${facts.threads} threads`,
  ];
}

function features(): string {
  if (process.platform !== 'linux' || process.arch !== 'x64') return `${process.platform} ${process.arch}`;
  const line = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'latin1'))?.[1] ?? '';
  const words = new Set(line.trim().split(' '));
  return FEATURES.map((name) => `${words.has(name) ? '' : 'no '}${name}`).join(', ');
}

/** Resident bytes of this process. */
export function residentBytes(): number {
  return process.memoryUsage.rss();
}
