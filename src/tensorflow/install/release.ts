import { existsSync, readFileSync } from 'node:fs';

/** The kinds of TensorFlow library that set-up knows: for processors alone, or with CUDA. */
export type LibraryKind = 'cpu' | 'gpu';

/** A wheel of the Python package index, pinned. */
export interface Wheel {
  /** As pip knows it: `tensorflow-cpu==2.18.1`. */
  readonly requirement: string;
  readonly sha256: string;
  /** Size of the download, and of what is kept of it, in bytes. */
  readonly download: number;
  readonly unpacked: number;
}

/** What set-up fetches for one kind on one architecture. */
export interface Release {
  readonly version: string;
  /** The first holds TensorFlow, the others the NVIDIA libraries that it opens. */
  readonly wheels: readonly Wheel[];
}

/**
 * TensorFlow 2.18.1 and not a newer one: it is the last whose `and-cuda` companions are pinned to exact versions, so that
 * two machines set up a year apart run the same libraries.
 */
const version = '2.18.1';

const MB = 1e6;
const wheel = (requirement: string, sha256: string, download: number, unpacked: number): Wheel => ({
  requirement,
  sha256,
  download: download * MB,
  unpacked: unpacked * MB,
});

// What `tensorflow[and-cuda]==2.18.1` asks for in its METADATA.
const companions: readonly Wheel[] = [
  wheel('nvidia-cublas-cu12==12.5.3.2', 'ca070ad70e9fa6654084575d01bd001f30cc4665e33d4bb9fc8e0f321caa034b', 363, 553),
  wheel('nvidia-cuda-cupti-cu12==12.5.82', 'bde77a5feb66752ec61db2adfe47f56b941842825b4c7e2068aff27c9d107953', 14, 45),
  wheel('nvidia-cuda-nvcc-cu12==12.5.82', 'b03e545b8e8c3ce7ebcd7fc44063180ff52ff01d064ece2127ed90a04ef12cd0', 22, 60),
  wheel('nvidia-cuda-nvrtc-cu12==12.5.82', '3dbd97b0104b4bfbc3c4f8c79cd2496307c89c43c29a9f83125f1d76296ff3fd', 25, 70),
  wheel('nvidia-cuda-runtime-cu12==12.5.82', '3e79a060e126df40fd3a068f3f787eb000fa51b251ec6cd97d09579632687115', 1, 2),
  wheel('nvidia-cudnn-cu12==9.3.0.75', '9ad9c6929ebb5295eb4a1728024666d1c88283373e265a0c5c883e6f9d5cd76d', 577, 887),
  wheel('nvidia-cufft-cu12==11.2.3.61', '9a6e8df162585750f61983a638104a48c756aa13f9f48e19ab079b38e3c828b8', 193, 280),
  wheel('nvidia-curand-cu12==10.3.6.82', '2823fb27de4e44dbb22394a6adf53aa6e1b013aca0f8c22867d1cfae58405536', 56, 98),
  wheel(
    'nvidia-cusolver-cu12==11.6.3.83',
    '93cfafacde4428b71778eeb092ec615a02a3d05404da1bcf91c53e3fa1bce42b',
    130,
    210,
  ),
  wheel('nvidia-cusparse-cu12==12.5.1.3', '016df8e993c437e8301e62739f01775cba988fd5253cd4c64173f8e8d2f8e752', 218, 297),
  wheel('nvidia-nccl-cu12==2.21.5', '8579076d30a8c24988834445f8d633c697d42397e92ffc3f63fa26766d25e0a0', 189, 252),
  wheel('nvidia-nvjitlink-cu12==12.5.82', 'f9b37bc5c8cf7509665cb6ada5aaa0ce65618f2332b7d3e78e9790511f111212', 21, 56),
];

/** The pinned releases, by Node's name of the architecture. On Arm `tensorflow` itself is the library without CUDA. */
export const releases: Readonly<Record<string, Partial<Record<LibraryKind, Release>>>> = {
  x64: {
    cpu: {
      version,
      wheels: [
        wheel('tensorflow-cpu==2.18.1', '8e0f27dbd92c6d380ae0ccfe73c7343f65c127b0aa98467c30c2e71eda7c76a4', 230, 700),
      ],
    },
    gpu: {
      version,
      wheels: [
        wheel('tensorflow==2.18.1', '442d2a774811789a8ad948e7286cb950fe3d87d3754e8cc6449d53b03dbfdaa6', 616, 1280),
        ...companions,
      ],
    },
  },
  arm64: {
    cpu: {
      version,
      wheels: [
        wheel('tensorflow==2.18.1', '1ba52b9c06ab8102b31e50acfaf56899b923171e603c8942f2bfeb181d6bb59e', 240, 800),
      ],
    },
  },
};

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
export function chooseKind(
  asked: 'auto' | LibraryKind,
  { arch, driver }: Platform,
): { kind: LibraryKind; why: string } {
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
