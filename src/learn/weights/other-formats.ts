/** What a file is that is no safetensors file, and what to do about it. */
export interface OtherFormat {
  readonly what: string;
  readonly remedy: string;
}

const startsWith = (bytes: Uint8Array, ...magic: number[]): boolean => magic.every((byte, i) => bytes[i] === byte);

/** The format of weights that a file is of by its first bytes; undefined where they are those of none known. */
export function otherFormat(bytes: Buffer, file: string): OtherFormat | undefined {
  const torch = {
    what: 'it is what torch.save writes, pickles that run code when they are read',
    remedy: `convert it: python3 -c "${converting(file)}"`,
  };
  if (startsWith(bytes, 0x50, 0x4b, 3, 4)) {
    if (bytes.subarray(0, 4096).includes('.pkl') || bytes.subarray(-65_536).includes('data.pkl')) return torch;
    return { what: 'it is a zip', remedy: 'unpack it, and name the .safetensors file in it' };
  }
  if (startsWith(bytes, 0x80) && bytes[1]! >= 2 && bytes[1]! <= 5) return torch; // before PyTorch 1.6: a pickle by itself
  if (startsWith(bytes, 0x89, 0x48, 0x44, 0x46)) {
    return {
      what: 'it is an HDF5 file, as Keras writes them',
      remedy: "store its weights by safetensors in Python, with PyTorch's names and layouts",
    };
  }
  if (startsWith(bytes, 0x1f, 0x8b)) return { what: 'it is gzip', remedy: 'unpack it with gunzip' };
  return undefined;
}

/** Python that makes a safetensors file of a state dict, whether it lies in the file alone or under 'state_dict' or 'model'. */
function converting(file: string): string {
  const to = file.replace(/\.(pth|pt|bin|th|ckpt|tar)$/i, '');
  return [
    'import torch, safetensors.torch as s',
    `d = torch.load('${file}', map_location='cpu', weights_only=True)`,
    "d = d.get('state_dict', d.get('model', d))",
    `s.save_file({k: v.contiguous() for k, v in d.items()}, '${to}.safetensors')`,
  ].join('; ');
}
