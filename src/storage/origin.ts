import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunFolder } from './folder.js';
import { type Identity, networkDigest } from './identity-identity.js';

/** A snapshot as far as it says whose it is. */
export interface Labeled {
  readonly path: string;
  readonly about: { readonly identity?: unknown; readonly network?: unknown };
}

/**
 * Why a snapshot that lies in the place of a network is not the run's own; undefined where nothing speaks against it. Networks of a run
 * share what they are a function of, so the name that it carries is what tells them apart. What the user has accepted once, and the run
 * has recorded, speaks against it no more.
 *
 * @param identities what the run was a function of; undefined where its folder keeps none
 */
export function foreignness(
  identities: readonly Identity[] | undefined,
  network: string,
  snapshot: Labeled,
): string | undefined {
  const reason = reasonOf(identities, network, snapshot);
  const accepted = identities?.some((one) => reason !== undefined && one.accepted.includes(reason));
  return accepted ? undefined : reason;
}

function reasonOf(
  identities: readonly Identity[] | undefined,
  network: string,
  { path, about }: Labeled,
): string | undefined {
  const file = path.slice(Math.max(0, path.lastIndexOf(join('snapshots', network)))); // wherever the folder is moved to
  if (about.network !== undefined && about.network !== network) {
    return `the snapshot ${file} is of the network '${about.network}', and lies where those of '${network}' do`;
  }
  if (identities === undefined) return about.identity === undefined ? undefined : 'its identity.json is gone';
  if (identities.some((one) => one.inputs[network] && networkDigest(one, network) === about.identity)) return undefined;
  return `the snapshot ${file} was made with other config, data or code, or by another run`;
}

/**
 * Of each network's newest snapshot that is not the run's own a sentence. Only their heads are read.
 *
 * @throws {SnapshotError} where a head is altered, or cannot be read @throws {SyntaxError} where `identity.json` is damaged
 */
export function foreignIn(folder: RunFolder): readonly string[] {
  const heads = (folder.started.networks ?? []).flatMap(({ name }) => {
    const head = folder.snapshots(name).newestHead();
    return head === undefined ? [] : [{ name, head }];
  });
  const identities = identitiesIn(folder); // after the heads: a run that goes on writes it before them
  return [...new Set(heads.flatMap(({ name, head }) => foreignness(identities, name, head) ?? []))];
}

function identitiesIn({ path }: RunFolder): readonly Identity[] | undefined {
  const file = join(path, 'identity.json');
  if (!existsSync(file)) return undefined;
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly identities?: readonly Identity[] }).identities ?? [];
}
