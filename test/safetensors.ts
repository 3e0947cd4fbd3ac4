import { readFileSync } from 'node:fs';

export interface SafeTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** The float32 tensors of a safetensors file: the length of a header, the header as JSON, the numbers. */
export function safetensors(file: string): ReadonlyMap<string, SafeTensor> {
  const bytes = readFileSync(file);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, start)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const { __metadata__: _, ...tensors } = header;
  return new Map(
    Object.entries(tensors).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        if (dtype !== 'F32') throw new Error(`'${name}' of ${file} is ${dtype}, not F32`);
        return [
          name,
          {
            shape,
            values: new Float32Array(
              bytes.buffer.slice(bytes.byteOffset + start + from, bytes.byteOffset + start + to),
            ),
          },
        ];
      },
    ),
  );
}
