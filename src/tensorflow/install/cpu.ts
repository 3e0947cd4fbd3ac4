import { readFileSync } from 'node:fs';

/** What the kernel says this processor can do, as in /proc/cpuinfo ('avx2', 'avx512_bf16'); nothing where it does not say. */
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

/** Those features of the processor that TensorFlow makes use of: with others its products are rounded otherwise. */
export const usefulFeatures = (): string[] => cpuFeatures().filter((name) => useful.test(name));
