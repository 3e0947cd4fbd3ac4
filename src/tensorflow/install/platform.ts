import { existsSync, readFileSync } from 'node:fs';
import type { Kind } from './release.js';

/** The properties of a machine that decide its library. */
export interface Platform {
  readonly os: string;
  readonly arch: string;
  /** Version of glibc; undefined where the C library is another one. */
  readonly glibc?: string;
  /** The file that shows the presence of an NVIDIA driver. */
  readonly driver?: string;
}

const driverTraces = [
  '/proc/driver/nvidia/version',
  '/usr/lib/x86_64-linux-gnu/libcuda.so.1',
  '/usr/lib64/libcuda.so.1',
  '/usr/lib/libcuda.so.1',
  '/usr/local/nvidia/lib64/libcuda.so.1',
  '/usr/lib/wsl/lib/libcuda.so.1',
];

/** This machine. */
export function thisPlatform(): Platform {
  const driver = driverTraces.find((path) => existsSync(path));
  const glibc = glibcVersion();
  return {
    os: process.platform,
    arch: process.arch,
    ...(glibc !== undefined && { glibc }),
    ...(driver !== undefined && { driver }),
  };
}

/** The library of a machine and the reason, for the runtime asked for. */
export function chooseKind(asked: 'auto' | Kind, { arch, driver }: Platform): { kind: Kind; why: string } {
  if (asked !== 'auto') return { kind: asked, why: 'asked for by name' };
  if (driver === undefined) return { kind: 'cpu', why: 'no NVIDIA driver found' };
  if (arch !== 'x64') return { kind: 'cpu', why: `TensorFlow has no CUDA wheel for ${arch}` };
  return { kind: 'gpu', why: `NVIDIA driver found (${driver})` };
}

function glibcVersion(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime;
}

/** The features of this processor from /proc/cpuinfo ('avx2', 'avx512_bf16'); empty where there is no such file. */
export function cpuFeatures(cpuinfo = read()): string[] {
  const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(cpuinfo);
  return line?.[1] === undefined ? [] : line[1].trim().split(/\s+/);
}

function read(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}

const useful = /^(avx|avx2|fma|f16c|avx_vnni|avx512f|avx512_bf16|avx512_vnni|amx_.*|neon|asimd|sve|bf16)$/;

/** The features of the processor that TensorFlow uses: its products round differently with others. */
export const usefulFeatures = (): string[] => cpuFeatures().filter((name) => useful.test(name));
